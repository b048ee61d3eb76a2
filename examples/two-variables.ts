/**
 * Two variables: a line w * x + b fitted to noisy points.
 * Gradient descent on the mean squared error, with all points in a step, ten, or one, draws three paths on the contour
 * of the loss. Run: node build/examples/two-variables.js
 */
import { DataLoader, manualSeed, nn, optim, randn, scalar, TensorDataset, tensor } from "nabla";
import { axes, draw, type Frame, filled, spaced } from "./picture.js";

const out = "runs/two-variables";
const truth = { w: 1.5, b: -0.5 };
const count = 100;

manualSeed(1);
const x = randn([count]);
const y = x
  .mul(truth.w)
  .add(truth.b)
  .add(randn([count]).mul(0.5));
const points = new TensorDataset(x, y);

interface Method {
  readonly name: string;
  readonly batchSize: number;
  readonly lr: number;
}
const methods: readonly Method[] = [
  { name: "batch", batchSize: count, lr: 0.1 },
  { name: "mini-batch of 10", batchSize: 10, lr: 0.05 },
  { name: "stochastic", batchSize: 1, lr: 0.02 },
];
const steps = 150;

/** Walks downhill and returns every place it has been. */
function descend({ batchSize, lr }: Method): { x: number; y: number; step: number }[] {
  const w = scalar(-1.6, { requiresGrad: true });
  const b = scalar(1.6, { requiresGrad: true });
  const opt = new optim.SGD([w, b], { lr });
  const loader = new DataLoader(points, { batchSize, shuffle: true, seed: 1 });
  const path = [{ x: w.item(), y: b.item(), step: 0 }];
  while (path.length <= steps) {
    for (const [xs, ys] of loader) {
      if (path.length > steps) break;
      opt.zeroGrad();
      nn.functional.mseLoss(w.mul(xs).add(b), ys).backward();
      opt.step();
      path.push({ x: w.item(), y: b.item(), step: path.length });
    }
  }
  return path;
}

const paths = methods.flatMap((method) => {
  const path = descend(method);
  const end = path.at(-1);
  console.log(`${method.name}: w = ${end?.x.toFixed(3)}, b = ${end?.y.toFixed(3)} after ${steps} steps`);
  return path.map((place) => ({ ...place, method: method.name }));
});
console.log(`the points were made with w = ${truth.w}, b = ${truth.b} and noise`);

// The loss over the whole plane at once: w along the columns, b along the rows, the points along the last axis.
const frame: Frame = { x: [-2.2, 3.2], y: [-2.6, 2.2], width: 560, height: 440 };
const ws = tensor(spaced(frame.x, 70)).reshape([1, 70, 1]);
const bs = tensor(spaced(frame.y, 60)).reshape([60, 1, 1]);
const loss = ws.mul(x).add(bs).sub(y).square().mean(2);
const levels = [0, ...Array.from({ length: 16 }, (_, i) => 0.25 * 1.33 ** i)];

await draw(`${out}/paths.svg`, {
  title: {
    text: "Three ways down the mean squared error",
    subtitle: "diamond: the line that the points were made from",
  },
  width: frame.width,
  height: frame.height,
  layer: [
    filled(frame, loss.toArray<number[][]>(), levels, "blues", [0, 0.7]),
    {
      data: { values: paths },
      mark: { type: "line", strokeWidth: 1.5, interpolate: "linear" },
      encoding: {
        ...axes(frame, "w", "b"),
        order: { field: "step", type: "quantitative" },
        color: {
          field: "method",
          type: "nominal",
          title: null,
          sort: null,
          scale: { range: ["#d62728", "#ff7f0e", "#111111"] },
        },
      },
    },
    {
      data: { values: [{ x: truth.w, y: truth.b }] },
      mark: { type: "point", shape: "diamond", size: 90, color: "white", filled: true, stroke: "black", opacity: 1 },
      encoding: axes(frame, "w", "b"),
    },
  ],
  resolve: { scale: { color: "independent" } },
});
