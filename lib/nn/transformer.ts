import { needChoice } from "../core/arguments.js";
import type { DType } from "../core/dtype.js";
import { checkOptions, keysOf } from "../core/options.js";
import { needTensor } from "../engine/operand.js";
import { type Activation, activations } from "../ops/matmul.js";
import type { Tensor } from "../tensor/tensor.js";
import { MultiheadAttention } from "./attention.js";
import { Dropout } from "./dropout.js";
import { Linear } from "./linear.js";
import { Module } from "./module.js";
import { LayerNorm } from "./norm.js";
import { members, renamed } from "./walk.js";

export interface TransformerEncoderLayerOptions {
  /** The size of the hidden layer between the two linear layers; default 2048. */
  readonly dimFeedforward?: number | undefined;
  /** The dropout probability while training; default 0.1. */
  readonly dropout?: number | undefined;
  /** The activation between the linear layers; default "relu". */
  readonly activation?: Activation | undefined;
  /** The `eps` of the layer normalizations; default 1e-5. */
  readonly layerNormEps?: number | undefined;
  /** Whether tensors are [n, length, dModel] instead of [length, n, dModel]; default false, as in PyTorch. */
  readonly batchFirst?: boolean | undefined;
  /** Whether normalization comes before attention and linear layers (pre-norm) instead of after them; default false. */
  readonly normFirst?: boolean | undefined;
  /** Whether linear layers and norms have biases; default true. */
  readonly bias?: boolean | undefined;
  /** The dtype of the parameters; default `getDefaultDtype()`. */
  readonly dtype?: DType | undefined;
}
export interface EncoderCallOptions {
  /**
   * [length, length] or [n * nhead, length, length]: bool, true where a position may not attend to another, or floats
   * to add.
   */
  readonly srcMask?: Tensor | null | undefined;
  /** A bool mask [n, length] (or [length]): true for positions that no position may attend to. */
  readonly srcKeyPaddingMask?: Tensor | null | undefined;
  /** Whether a position attends only to positions up to itself; default false. */
  readonly isCausal?: boolean | undefined;
}

const keys: Readonly<Record<string, string>> = { selfAttn: "self_attn" };

/**
 * A transformer encoder layer: self-attention, then two linear layers, each part with a residual connection and layer
 * normalization: `x = norm1(x + attention(x)); x = norm2(x + linear2(activation(linear1(x))))`, or with `normFirst` `x
 * = x + attention(norm1(x)); x = x + linear2(activation(linear1(norm2(x))))`. Masks are those of {@link
 * MultiheadAttention}.
 * @shape src [length, n, dModel]; with `batchFirst` [n, length, dModel]; or without n. Gives the same.
 * @throws ERR_ARGUMENT if nhead does not divide dModel, or for an invalid option; ERR_SHAPE if sizes do not fit.
 * @source Vaswani et al., Attention is all you need, 2017.
 * @example
 * const layer = new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 8, batchFirst: true, normFirst: true });
 * layer.forward(ones([1, 3, 4]), { isCausal: true }).shape; // [1, 3, 4]
 */
export class TransformerEncoderLayer extends Module {
  readonly selfAttn: MultiheadAttention;
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly normFirst: boolean;
  readonly activation: Activation;

  constructor(dModel: number, nhead: number, options?: TransformerEncoderLayerOptions) {
    super();
    const op = "TransformerEncoderLayer";
    const given = checkOptions<TransformerEncoderLayerOptions>(
      op,
      options,
      ["dimFeedforward", "dropout", "activation", "layerNormEps", "dtype"],
      ["batchFirst", "normFirst", "bias"],
    );
    const { dimFeedforward = 2048, dropout: p = 0.1, activation = "relu", layerNormEps: eps = 1e-5 } = given;
    const { batchFirst = false, normFirst = false, bias = true, dtype } = given;
    needChoice(op, "activation", activation, keysOf(activations));
    this.selfAttn = new MultiheadAttention(dModel, nhead, { dropout: p, bias, batchFirst, dtype });
    this.linear1 = new Linear(dModel, dimFeedforward, { bias, dtype });
    this.dropout = new Dropout(p);
    this.linear2 = new Linear(dimFeedforward, dModel, { bias, dtype });
    this.norm1 = new LayerNorm(dModel, { eps, bias, dtype });
    this.norm2 = new LayerNorm(dModel, { eps, bias, dtype });
    this.dropout1 = new Dropout(p);
    this.dropout2 = new Dropout(p);
    this.normFirst = normFirst;
    this.activation = activation;
  }

  override forward(src: Tensor, options?: EncoderCallOptions): Tensor {
    const known = ["srcMask", "srcKeyPaddingMask"] as const;
    const given = checkOptions<EncoderCallOptions>("TransformerEncoderLayer", options, known, ["isCausal"]);
    const { norm1, norm2 } = this;
    needTensor("TransformerEncoderLayer", src);
    if (this.normFirst) {
      const x = src.add(this.attend(norm1.forward(src), given));
      return x.add(this.feed(norm2.forward(x)));
    }
    const x = norm1.forward(src.add(this.attend(src, given)));
    return norm2.forward(x.add(this.feed(x)));
  }

  private attend(x: Tensor, { srcMask, srcKeyPaddingMask, isCausal }: EncoderCallOptions): Tensor {
    const masks = { attnMask: srcMask, keyPaddingMask: srcKeyPaddingMask, isCausal, needWeights: false };
    return this.dropout1.forward(this.selfAttn.forward(x, x, x, masks)[0]);
  }
  private feed(x: Tensor): Tensor {
    const inner = this.linear1.forwardThrough(x, this.activation);
    return this.dropout2.forward(this.linear2.forward(this.dropout.forward(inner)));
  }
  override extraRepr(): string {
    return `activation=${this.activation}, normFirst=${this.normFirst}`;
  }
  /** @internal */
  override [members](): Iterable<readonly [string, unknown]> {
    return renamed(this, keys);
  }
}
