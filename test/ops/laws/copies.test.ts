/** Law: the result of an op that copies lies in no input's storage, in its identity case neither; views are views. */
import * as nb from "nabla";
import { noGrad, type Tensor, tensor } from "nabla";
import { describe, expect, test } from "vitest";
import { cases } from "../cases/index.js";
import { draw, makeAll, randomFor } from "./inputs.js";

/** What gives views, and what returns its input where there is nothing to do, as PyTorch's does. */
const views = new Set([
  ...["reshape", "view", "permute", "transpose", "t", "movedim", "expand", "broadcastTo", "squeeze", "unsqueeze"],
  ...["flatten", "flip", "alias", "detach", "stopGradient", "narrow", "slice", "split", "chunk", "unbind", "at"],
  ...["diagonal", "meshgrid", "contiguous", "to", "sumToSize", "einsum, one operand"],
]);

/** Whether a write to an input shows in the result. */
function shares(inputs: readonly Tensor[], out: Tensor): boolean {
  const before = out.toString();
  noGrad(() => inputs.forEach((x) => void x.assign(x.dtype === "bool" ? x.logicalNot() : 77)));
  return out.toString() !== before;
}

describe("law: copies", () => {
  const shared = new Set<string>();
  test.each([...cases])("%s", (op, of) => {
    for (const sample of of.samples) {
      const dtype = of.dtypes[0]!;
      const xs = makeAll(of, draw(of, sample, dtype, randomFor(`copies ${op} ${sample.label}`)), dtype);
      if (!shares(xs, sample.call(xs))) continue;
      shared.add(op);
      expect(views, `${op} ${sample.label} shares the storage of an input`).toContain(op);
    }
  });
  test("what is called a view is one", () => expect([...views].filter((op) => !shared.has(op))).toEqual([]));
});

const ints = (...values: number[]): Tensor => tensor(Int32Array.from(values));
const eye = (): Tensor => nb.eye(2);
const list = (): Tensor => tensor([1, 2, 3]);
const one = (): Tensor => tensor([5]);
const scalar = (): Tensor => nb.scalar(2);
const image = (): Tensor => nb.ones([1, 2, 2]);

/** Calls that change nothing. */
const identities: readonly (readonly [what: string, x: () => Tensor, call: (x: Tensor) => Tensor])[] = [
  ["clone", list, (x) => x.clone()],
  ["roll by 0", list, (x) => x.roll(0)],
  ["roll by the size", list, (x) => x.roll(-3, 0)],
  ["roll along several dims", eye, (x) => x.roll([0, 2], [0, 1])],
  ["roll of one", one, (x) => x.roll(1)],
  ["roll of rank 0", scalar, (x) => x.roll(1, 0)],
  ["tile once", list, (x) => x.tile([1])],
  ["tile into more dims", eye, (x) => x.tile([1, 1, 1])],
  ["tile of rank 0", scalar, (x) => x.tile([])],
  ["tile of one, which could be a stride of 0", one, (x) => x.tile([3])],
  ["repeat once", eye, (x) => x.repeat([1, 1])],
  ["repeat of one, which could be a stride of 0", one, (x) => x.repeat([4])],
  ["repeatInterleave once", list, (x) => x.repeatInterleave(1)],
  ["repeatInterleave along a dim", eye, (x) => x.repeatInterleave(1, 0)],
  ["repeatInterleave by a tensor", list, (x) => x.repeatInterleave(ints(1))],
  ["repeatInterleave of one", one, (x) => x.repeatInterleave(4)],
  ["repeatInterleave of rank 0", scalar, (x) => x.repeatInterleave(1)],
  ["pad by nothing", list, (x) => x.pad([0, 0])],
  ["pad by no numbers", list, (x) => x.pad([])],
  ["pad that cuts", list, (x) => x.pad([-1, 0])],
  ["pad by mode", list, (x) => x.pad([0, 0], { mode: "reflect" })],
  ["dropout in inference", list, (x) => x.dropout(0.5, { training: false })],
  ["dropout of nothing", list, (x) => x.dropout(0)],
  ["cat of one", list, (x) => nb.cat([x])],
  ["cat with an empty one", list, (x) => nb.cat([x, nb.zeros([0])])],
  ["stack of one", list, (x) => nb.stack([x])],
  ["max of rank 0", scalar, (x) => x.max(0).values],
  ["min of rank 0", scalar, (x) => x.min(-1).values],
  ["max of one", one, (x) => x.max(0).values],
  ["median of rank 0", scalar, (x) => x.median(0).values],
  ["quantile of rank 0", scalar, (x) => x.quantile(0.5)],
  ["sum over no dims", eye, (x) => x.sum([])],
  ["mean over no dims", eye, (x) => x.mean([])],
  ["prod over no dims", eye, (x) => x.prod([])],
  ["amax over no dims", eye, (x) => x.amax([])],
  ["norm over no dims", eye, (x) => x.norm([])],
  ["logsumexp over no dims", eye, (x) => x.logsumexp([])],
  ["sum of rank 0", scalar, (x) => x.sum()],
  ["cumsum of rank 0", scalar, (x) => x.cumsum(0)],
  ["cumprod of one", one, (x) => x.cumprod(0)],
  ["sort of rank 0", scalar, (x) => x.sort().values],
  ["sort of a sorted list", list, (x) => x.sort().values],
  ["topk of all", list, (x) => x.topk(3).values],
  ["unique of one", one, (x) => x.unique().values],
  ["diag of a matrix", eye, (x) => x.diag()],
  ["tril that keeps all", eye, (x) => x.tril({ diagonal: 9 })],
  ["nanToNum of integers", () => ints(1, 2), (x) => x.nanToNum()],
  ["floor of integers", () => ints(1, 2), (x) => x.floor()],
  ["clamp without effect", list, (x) => x.clamp({ min: Number.NEGATIVE_INFINITY })],
  ["add 0", list, (x) => x.add(0)],
  ["mul by 1", list, (x) => x.mul(1)],
  ["pow 1", list, (x) => x.pow(1)],
  ["maximum with itself", list, (x) => x.maximum(x)],
  ["where true", list, (x) => nb.where(x.gt(0), x, 0)],
  ["maskedFill of nothing", list, (x) => x.maskedFill(x.gt(9), 0)],
  ["maskedSelect of all", list, (x) => x.maskedSelect(x.gt(0))],
  ["indexSelect of all", list, (x) => x.indexSelect(0, ints(0, 1, 2))],
  ["gather of all", list, (x) => x.gather(0, ints(0, 1, 2))],
  ["take of all", list, (x) => x.take(ints(0, 1, 2))],
  ["scatter of nothing", list, (x) => x.scatter(0, ints(), nb.zeros([0]))],
  ["scatterAdd of nothing", list, (x) => x.scatterAdd(0, ints(), nb.zeros([0]))],
  ["indexAdd of nothing", list, (x) => x.indexAdd(0, ints(), nb.zeros([0]))],
  ["indexPut of nothing", list, (x) => x.indexPut([[]], 0)],
  ["indexPut of rank 0", scalar, (x) => x.indexPut([nb.scalar(0).to("bool")], 1)],
  ["at of all, by a list", list, (x) => x.at([0, 1, 2])],
  ["at of all, by a mask", list, (x) => x.at(x.gt(0))],
  ["at of rank 0, by a mask", scalar, (x) => x.at(x.gt(0))],
  ["embedding of all rows", eye, (x) => nb.embedding(ints(0, 1), x)],
  ["avgPool2d of windows of 1", image, (x) => nb.avgPool2d(x, 1)],
  ["maxPool2d of windows of 1", image, (x) => nb.maxPool2d(x, 1)],
  ["adaptiveAvgPool2d to the same size", image, (x) => nb.adaptiveAvgPool2d(x, 2)],
];
describe("law: copies, where nothing changes", () => {
  test.each(identities)("%s", (what, make, call) => {
    const x = make();
    expect(shares([x], call(x)), `${what} shares the storage of its input`).toBe(false);
    const all = nb.stack([make(), make()]);
    const each = nb.vmap(call, { randomness: "same" });
    const masked = /maskedSelect|mask|unique|rank 0, by/.test(what);
    if (!masked) expect(shares([all], each(all)), `${what} inside vmap`).toBe(false);
  });
});
