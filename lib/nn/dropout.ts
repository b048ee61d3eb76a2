import { needShare } from "../core/arguments.js";
import { needTensor } from "../engine/operand.js";
import { dropout } from "../ops/random.js";
import type { Tensor } from "../tensor/tensor.js";
import { Module } from "./module.js";

/**
 * While training, sets each element to 0 with probability p (default 0.5) and divides the others by 1 - p; after
 * `eval()` it returns x. See {@link dropout}.
 * @shape that of x.
 * @throws ERR_ARGUMENT unless 0 <= p <= 1.
 * @example new nn.Dropout(0.5).eval().forward(ones([2])).toArray(); // [1, 1]
 */
export class Dropout extends Module {
  readonly p: number;

  constructor(p = 0.5) {
    super();
    needShare("Dropout", "p", p);
    this.p = p;
  }
  override forward(x: Tensor): Tensor {
    // The op itself would copy.
    if (!this.training || this.p === 0) return needTensor("dropout", x);
    return dropout(x, this.p);
  }
  override extraRepr(): string {
    return `p=${this.p}`;
  }
}
