import { needInteger } from "../core/arguments.js";
import { flatten } from "../ops/reshape.js";
import type { Tensor } from "../tensor/tensor.js";
import { Module } from "./module.js";

/**
 * Flattens the dimensions from `start` (default 1) to `end` (default -1), inclusive, into one: by default all except
 * the batch.
 * @shape [n, a, b] gives [n, a * b].
 * @example new nn.Flatten().forward(zeros([2, 3, 4])).shape; // [2, 12]
 */
export class Flatten extends Module {
  readonly start: number;
  readonly end: number;

  constructor(start = 1, end = -1) {
    super();
    this.start = needInteger("Flatten", "start", start);
    this.end = needInteger("Flatten", "end", end);
  }
  override forward(x: Tensor): Tensor {
    return flatten(x, this.start, this.end);
  }
  override extraRepr(): string {
    return `start=${this.start}, end=${this.end}`;
  }
}
