/** The jobs of examples/digits and examples/table. */
import { manualSeed, rand, type Tensor, Trainer, tensor } from "nabla";
import { expect, test } from "vitest";
import conv from "../../examples/digits/conv.js";
import mlp from "../../examples/digits/mlp.js";
import { RandomAffine } from "../../examples/digits/pixels.js";
import logistic from "../../examples/table/logistic.js";
import table from "../../examples/table/mlp.js";

test("logistic regression and a perceptron tell penguins apart", async () => {
  for (const { metrics } of [await new Trainer(logistic).fit(), await new Trainer(table).fit()])
    expect(metrics["test.accuracy"]).toBeGreaterThan(0.95);
});

test("in a few steps both nets learn to read digits", { timeout: 60_000 }, async () => {
  const args = { mnist: "", validate: false, width: 4, dropout: 0 };
  const perceptron = await new Trainer(mlp, { steps: 40, workers: 0 }).fit();
  const net = await new Trainer(conv, { steps: 60, args }).fit();
  for (const { metrics } of [perceptron, net]) expect(metrics["test.accuracy"]).toBeGreaterThan(0.7);
});

const side = 6;
const none = { shift: 0, degrees: 0, scale: 0 };
const pictures = (): Tensor => rand([5, side ** 2]);
const close = (a: Tensor, b: Tensor): number => a.sub(b).abs().amax().item();

test("RandomAffine leaves pictures as they are in evaluation, and where nothing may change", () => {
  const x = pictures();
  expect(new RandomAffine(side, { shift: 2, degrees: 30, scale: 0.2 }).eval().forward(x)).toBe(x);
  expect(close(new RandomAffine(side, none).forward(x), x)).toBeLessThan(1e-6);
});

test("RandomAffine moves a picture as a whole: what stays inside keeps its sum", () => {
  manualSeed(3);
  const dot = tensor(Array.from({ length: side ** 2 }, (_, i) => (i === 14 ? 1 : 0))).unsqueeze(0);
  const x = dot.expand([200, side ** 2]).contiguous();
  const y = new RandomAffine(side, { ...none, shift: 1 }).forward(x);
  expect(close(y.sum(1), x.sum(1))).toBeLessThan(1e-5);
  // The places to which the dot has gone are spread evenly around its own, row 2 and column 2.
  const grid = y.mean(0).reshape([side, side]);
  const places = tensor([0, 1, 2, 3, 4, 5], { dtype: "float32" });
  expect(Math.abs(grid.sum(1).mul(places).sum().item() - 2)).toBeLessThan(0.1);
  expect(Math.abs(grid.sum(0).mul(places).sum().item() - 2)).toBeLessThan(0.1);
  expect(grid.at("1:4", "1:4").sum().item()).toBeGreaterThan(0.999);
});

test("RandomAffine turns and resizes around the middle", () => {
  manualSeed(3);
  const ring = Array.from({ length: side ** 2 }, (_, i) => {
    const [row, column] = [Math.floor(i / side) - 2.5, (i % side) - 2.5];
    return Math.max(0, 2.5 - Math.hypot(row, column));
  });
  const x = tensor(ring)
    .unsqueeze(0)
    .expand([50, side ** 2])
    .contiguous();
  const rotated = new RandomAffine(side, { ...none, degrees: 180 }).forward(x);
  expect(close(rotated, x)).toBeLessThan(0.45); // a cone, but for what lies between pixels
  const sums = new RandomAffine(side, { ...none, scale: 0.5 }).forward(x).sum(1);
  expect(sums.amin().item()).toBeLessThan(0.5 * x.sum(1).amin().item());
  expect(sums.amax().item()).toBeGreaterThan(1.3 * x.sum(1).amin().item());
});
