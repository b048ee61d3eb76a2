import { crossEntropy, noGrad, randn, tensor } from "nabla";
import { addon } from "nabla/internal";
import { expect, test } from "vitest";
import { settle } from "../support/settle.js";

test("cross-entropy keeps the log-sum-exps of its rows for the gradient, and only for that", () => {
  const x = randn([300, 40], { requiresGrad: true });
  const target = tensor(Int32Array.from({ length: 300 }, (_, i) => i % 40));
  settle();
  const before = addon.stats().liveStorages;
  const plain = noGrad(() => crossEntropy(x, target, { reduction: "none" }));
  expect(addon.stats().liveStorages - before).toBe(1);
  const loss = crossEntropy(x, target, { reduction: "none" });
  expect(addon.stats().liveStorages - before).toBe(3);
  expect([...loss.toTypedArray()]).toEqual([...plain.toTypedArray()]);
  loss.sum().backward();
  // Made from what was kept, and again from the logits.
  const quick = [...x.grad!.toTypedArray()];
  x.grad = null;
  crossEntropy(x, target, { reduction: "none" }).sum().backward({ createGraph: true });
  expect([...x.grad!.toTypedArray()]).toEqual(quick);
});
