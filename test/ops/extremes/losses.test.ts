/** Losses whose mean fits, though their sum does not. */
import * as nb from "nabla";
import { expect, test } from "vitest";

const { tensor } = nb;

test("losses whose sum overflows", () => {
  const [x, zero] = [tensor([3e38, 3e38, 3e38]), nb.zeros([3])];
  const m = Math.fround(3e38);
  expect(nb.l1Loss(x, zero).item()).toBe(m);
  expect(nb.mseLoss(tensor([2.5e19, 0, 0]), zero).item() / (2.5e19 ** 2 / 3)).toBeCloseTo(1, 6);
  const rows = tensor([
    [0, 3e38],
    [0, 3e38],
    [1, 2],
  ]);
  const target = tensor([0, 0, -100], { dtype: "int32" });
  expect(nb.crossEntropy(rows, target).item()).toBe(m);
  expect(nb.nllLoss(rows.neg(), tensor([1, 1, -100], { dtype: "int32" })).item()).toBe(m);
  expect(nb.klDiv(x.neg().reshape([3, 1]), nb.ones([3, 1]), { reduction: "batchmean" }).item()).toBe(m);
});
