import { perResult } from "../engine/cost.js";
import { needTensor } from "../engine/operand.js";
import { defineKernel } from "../engine/row.js";
import { general } from "../engine/rule.js";
import { runKernel } from "../engine/run-kernel.js";
import type { Tensor } from "../tensor/tensor.js";
import {
  areNeighbours,
  asFloat,
  kept,
  mask,
  type Reduced,
  type Reduction,
  reducedShape,
  reduction,
  sameType,
} from "./reduction.js";

/** Exponentials in the order in which x lies, shifted so that they do not overflow, and their sums. */
function exponentials(x: Tensor, dims: readonly number[]): { e: Tensor; total: Tensor } {
  const top = x.detach().amax(dims, { keepdim: true });
  const e = x.sub(top.isfinite().where(top, 0)).exp();
  return { e, total: e.sum(dims, { keepdim: true }) };
}

const logsumexpBackward = defineKernel<Reduced>({
  name: "logsumexpBackward",
  family: "fused",
  accuracy: "tree",
  flops: perResult(7),
});

const logsumexpOf: Reduction = reduction("logsumexp", {
  flops: 4,
  accuracy: "tree",
  type: sameType,
  rule: general(["x"], {
    vjp: (g, [x], c) => {
      if (x.numel === 0) return [x];
      const { e, total } = exponentials(x, c.params.dims);
      return [e.mul(kept(g, c).div(total))];
    },
    fused: (g, [x], c) => {
      const { dims } = c.params;
      if (!areNeighbours(dims)) return null;
      const dense = [g.contiguous(), x.contiguous()];
      const { type, shape } = x;
      return runKernel({
        row: logsumexpBackward,
        inputs: dense,
        results: [{ type, shape }],
        attrs: [mask(dims)],
        params: c.params,
      });
    },
    jvp: ([t], [x], c) => {
      const { dims, keepdim } = c.params;
      if (x.numel === 0) return t!.sum(dims, { keepdim });
      const { e, total } = exponentials(x, dims);
      const along = e.mul(t!).sum(dims, { keepdim: true }).div(total);
      return keepdim ? along : along.reshape(reducedShape(x.shape, c.params));
    },
  }),
});

/**
 * `log(sum(exp(x)))` over `dim` (default all dimensions), without overflow; a result near 0 is accurate too. It is -inf
 * for an empty reduction, and if all elements are -inf.
 * @shape as {@link sum}. @dtype that of x; integers and bool become the default float dtype.
 * @gradient softmax(x).
 * @throws ERR_AXIS for a dim out of range or given twice.
 * @example tensor([1000, 1000]).logsumexp().item(); // 1000.693...
 */
export const logsumexp: Reduction = (x, dim, options) => logsumexpOf(asFloat(needTensor("logsumexp", x)), dim, options);
