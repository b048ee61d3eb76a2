import { needInteger } from "../core/arguments.js";
import type { DType } from "../core/dtype.js";
import { fail, showBounds } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { withGrad } from "../engine/modes.js";
import { embedding } from "../ops/lookup.js";
import { zeros } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { normal } from "./init.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

export interface EmbeddingModuleOptions {
  /** The index of a row that is initialized to zeros and gets no gradient; a negative one counts from the end. */
  readonly paddingIdx?: number | undefined;
  /** The dtype of the weight; default `getDefaultDtype()`. */
  readonly dtype?: DType | undefined;
}

/**
 * A table of vectors that are looked up by index; see {@link embedding}. Initialized from the standard normal
 * distribution.
 * @shape index [..] gives [.., embeddingDim]; weight is [numEmbeddings, embeddingDim].
 * @throws ERR_ARGUMENT unless sizes are integers of at least 0; ERR_INDEX for an index or `paddingIdx` out of range.
 * @example
 * new nn.Embedding(10, 3).forward(tensor([[1, 2], [4, 5]], { dtype: "int32" })).shape; // [2, 2, 3]
 */
export class Embedding extends Module {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  readonly paddingIdx: number | undefined;
  readonly weight: Parameter;

  constructor(numEmbeddings: number, embeddingDim: number, options?: EmbeddingModuleOptions) {
    super();
    const op = "Embedding";
    const { paddingIdx, dtype } = checkOptions<EmbeddingModuleOptions>(op, options, ["paddingIdx", "dtype"]);
    this.numEmbeddings = needInteger(op, "numEmbeddings", numEmbeddings, 0);
    this.embeddingDim = needInteger(op, "embeddingDim", embeddingDim, 0);
    if (paddingIdx !== undefined) {
      const row = needInteger(op, "paddingIdx", paddingIdx);
      if (row < -numEmbeddings || row >= numEmbeddings)
        fail("ERR_INDEX", op, "paddingIdx is not a row", showBounds(-numEmbeddings, numEmbeddings - 1), String(row));
    }
    this.paddingIdx = paddingIdx;
    this.weight = new Parameter(zeros([numEmbeddings, embeddingDim], { dtype }));
    this.resetParameters();
  }
  /** Reinitializes the weight. */
  resetParameters(): void {
    normal(this.weight);
    const { paddingIdx, numEmbeddings } = this;
    if (paddingIdx === undefined) return;
    const row = paddingIdx < 0 ? paddingIdx + numEmbeddings : paddingIdx;
    withGrad(false, () => this.weight.narrow(0, row, 1).assign(0));
  }
  override forward(index: Tensor): Tensor {
    return embedding(index, this.weight, { paddingIdx: this.paddingIdx });
  }
  override extraRepr(): string {
    return `numEmbeddings=${this.numEmbeddings}, embeddingDim=${this.embeddingDim}`;
  }
}
