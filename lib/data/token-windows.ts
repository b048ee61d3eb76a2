import { needInteger, needPlace } from "../core/arguments.js";
import { brand } from "../core/copy.js";
import { fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { needTensor } from "../engine/operand.js";
import { arange } from "../tensor/create.js";
import { tensor } from "../tensor/from-data.js";
import type { Tensor } from "../tensor/tensor.js";
import type { Dataset } from "./dataset.js";

export interface TokenWindowsOptions {
  /** The number of tokens in a window. */
  readonly blockSize: number;
  /** How many tokens after a window the next one begins; default 1. */
  readonly stride?: number | undefined;
}

const op = "TokenWindows";

/**
 * Windows of a sequence of tokens, for models that predict the next one: sample `i` is `[x, y]`, with `blockSize` tokens
 * from position `i * stride`, and those one position later.
 * @throws ERR_SHAPE for a tensor of another rank than 1; ERR_ARGUMENT for fewer than `blockSize + 1` tokens, and invalid
 * options.
 * @example
 * const windows = new TokenWindows(tensor([5, 6, 7, 8, 9], { dtype: "int32" }), { blockSize: 3 });
 * const [x, y] = windows.at(1);
 * x.toArray(); // [6, 7, 8]
 * y.toArray(); // [7, 8, 9]
 */
export class TokenWindows implements Dataset<[Tensor, Tensor]> {
  /** The number of windows. */
  readonly length: number;
  private readonly tokens: Tensor;
  private readonly blockSize: number;
  private readonly stride: number;

  constructor(tokens: Tensor, options: TokenWindowsOptions) {
    const { shape } = needTensor(op, tokens);
    const { blockSize, stride = 1 } = checkOptions<TokenWindowsOptions>(op, options, ["blockSize", "stride"]);
    if (shape.length !== 1) fail("ERR_SHAPE", op, "the tokens must be a sequence", "rank 1", `rank ${shape.length}`);
    this.blockSize = needInteger(op, "blockSize", blockSize, 1);
    this.stride = needInteger(op, "stride", stride, 1);
    this.tokens = tokens;
    const starts = shape[0]! - this.blockSize;
    if (starts < 1)
      fail("ERR_ARGUMENT", op, "the sequence is too short", `at least ${this.blockSize + 1} tokens`, `${shape[0]}`);
    this.length = Math.ceil(starts / this.stride);
  }

  /** Sample `i`; a negative `i` counts from the end. */
  at(i: number): [Tensor, Tensor] {
    const start = needPlace(op, "sample", i, this.length) * this.stride;
    return [this.slice(start), this.slice(start + 1)];
  }

  /** The samples with these indices, stacked: each of the two is `[samples, blockSize]`. */
  rows(indices: Int32Array): [Tensor, Tensor] {
    const width = this.blockSize + 1;
    const starts = tensor(indices).mul(this.stride).unsqueeze(1);
    const positions = starts.add(arange(width)).reshape([-1]);
    const both = this.tokens.indexSelect(0, positions).reshape([-1, width]);
    return [both.narrow(1, 0, this.blockSize), both.narrow(1, 1, this.blockSize)];
  }

  private slice(start: number): Tensor {
    return this.tokens.narrow(0, start, this.blockSize);
  }
}
brand("other", TokenWindows);
