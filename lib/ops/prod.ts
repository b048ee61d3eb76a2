import { numel } from "../core/shape.js";
import { inCompute } from "../engine/apply.js";
import { perResult } from "../engine/cost.js";
import { defineKernel } from "../engine/row.js";
import { general } from "../engine/rule.js";
import { runKernel } from "../engine/run-kernel.js";
import { onesLike } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { cat } from "./join.js";
import {
  accumulator,
  areNeighbours,
  countOf,
  kept,
  mask,
  type Reduced,
  type Reduction,
  reduction,
} from "./reduction.js";

/** x with the reduced dimensions last and joined: [rows, n]. */
function reducedLast(x: Tensor, dims: readonly number[]): Tensor {
  const kept = x.shape.map((_, i) => i).filter((i) => !dims.includes(i));
  return x.permute([...kept, ...dims]).reshape([numel(kept.map((i) => x.shape[i]!)), countOf(x.shape, dims)]);
}

/** For each element of a row the product of those before it, by doubling: log2(n) multiplications of rows. */
function productBefore(x: Tensor): Tensor {
  const [rows, n] = x.dims(2);
  const shifted = (y: Tensor, by: number) =>
    cat([onesLike(y.detach().narrow(1, 0, by)).reshape([rows, by]), y.narrow(1, 0, n - by)], 1);
  let y = shifted(x, 1);
  for (let by = 1; by < n; by *= 2) y = y.mul(shifted(y, by));
  return y;
}

/** The derivative of the product by each element: the product of all others, also where some are 0. */
function productOfOthers(x: Tensor, dims: readonly number[]): Tensor {
  const flat = reducedLast(x, dims);
  if (flat.numel === 0) return x;
  const others = productBefore(flat).mul(productBefore(flat.flip(1)).flip(1));
  const kept = x.shape.map((_, i) => i).filter((i) => !dims.includes(i));
  const order = [...kept, ...dims];
  return others.reshape(order.map((i) => x.shape[i]!)).permute(x.shape.map((_, i) => order.indexOf(i)));
}

const prodBackward = defineKernel<Reduced>({
  name: "prodBackward",
  family: "fused",
  accuracy: "tree",
  flops: perResult(3),
});

/**
 * The product over `dim` (default all dimensions). It does not overflow or underflow where only partial products would.
 * @shape as {@link sum}. @dtype that of x; integers and bool give int64.
 * @gradient the product of the other elements, also where some are 0.
 * @throws ERR_AXIS for a dim out of range or given twice.
 * @example tensor([[1, 2], [3, 4]]).prod(0).toArray(); // [3, 8]
 */
export const prod: Reduction = reduction("prod", {
  accuracy: "tree",
  type: accumulator,
  rule: general(["x"], {
    vjp: (g, [x], c) => [productOfOthers(x, c.params.dims).mul(kept(g, c))],
    fused: (g, [x], { params }) => {
      if (!areNeighbours(params.dims)) return null;
      const { compute } = x.type;
      const inputs = [g, x].map((one) => (inCompute(one) as Tensor).contiguous());
      const results = [{ type: compute, shape: x.shape }];
      const [dx] = runKernel({ row: prodBackward, inputs, results, attrs: [mask(params.dims)], params });
      return [dx!.to(x.dtype)];
    },
    jvp: ([t], [x], c) => productOfOthers(x, c.params.dims).mul(t!).sum(c.params.dims, { keepdim: c.params.keepdim }),
  }),
});
