/**
 * A two-layer perceptron that separates two spirals.
 * Draws the probability it gives to every place of the plane: the decision boundary runs where it is one half.
 * Run: node build/examples/spiral.js
 */
import { manualSeed, nn, noGrad, optim, randn, tensor } from "nabla";
import { axes, draw, type Frame, filled, spaced } from "./picture.js";

const out = "runs/spiral";
const perArm = 150;
const epochs = 1500;

manualSeed(1);
const noise = randn([2 * perArm, 2])
  .mul(0.03)
  .toArray<[number, number][]>();
const points = noise.map(([dx, dy], i) => {
  const arm = i % 2;
  const t = (Math.floor(i / 2) + 1) / perArm;
  const angle = 3 * Math.PI * t + Math.PI * arm;
  return { x: t * Math.cos(angle) + dx, y: t * Math.sin(angle) + dy, arm };
});
const inputs = tensor(points.map(({ x, y }) => [x, y]));
const targets = tensor(points.map(({ arm }) => [arm]));

const model = new nn.Sequential(new nn.Linear(2, 64), new nn.Tanh(), new nn.Linear(64, 1));
const opt = new optim.AdamW(model.parameters(), { lr: 0.05, weightDecay: 0 });
for (let epoch = 1; epoch <= epochs; epoch++) {
  opt.zeroGrad();
  const logits = model.forward(inputs);
  const loss = nn.functional.binaryCrossEntropyWithLogits(logits, targets);
  loss.backward();
  opt.step();
  if (epoch % 300 === 0) {
    const right = logits.gt(0).eq(targets.gt(0.5)).sum().item();
    console.log(`epoch ${epoch}: loss ${loss.item().toFixed(4)}, ${right} of ${points.length} points right`);
  }
}

const frame: Frame = { x: [-1.2, 1.2], y: [-1.2, 1.2], width: 480, height: 480 };
const side = 97;
const plane = spaced(frame.y, side).flatMap((y) => spaced(frame.x, side).map((x) => [x, y]));
const probability = noGrad(() => model.forward(tensor(plane)).sigmoid().reshape([side, side]));

await draw(`${out}/boundary.svg`, {
  title: "What a two-layer perceptron makes of two spirals",
  width: frame.width,
  height: frame.height,
  layer: [
    filled(frame, probability.toArray<number[][]>(), [0, 0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95], "redblue", [0.2, 0.8]),
    {
      data: { values: points },
      mark: { type: "point", filled: true, size: 30, opacity: 1, stroke: "white", strokeWidth: 0.5 },
      encoding: {
        ...axes(frame, "x", "y"),
        color: { field: "arm", type: "nominal", title: "arm", scale: { range: ["#b2182b", "#2166ac"] } },
      },
    },
  ],
  resolve: { scale: { color: "independent" } },
});
