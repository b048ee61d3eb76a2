/**
 * One variable: sigmoid(a * x + b).
 * Draws the graph of the computation with the value and the gradient of every node, and the derivative in x beside the
 * slope of a secant. Run: node build/examples/one-variable.js
 */
import { grad, graph, scalar, type Tensor, tensor } from "nabla";
import { draw, save, spaced } from "./picture.js";

const out = "runs/one-variable";

const a = scalar(2, { requiresGrad: true });
const x = scalar(0.75, { requiresGrad: true });
const b = scalar(-1, { requiresGrad: true });
const y = a.mul(x).add(b).sigmoid();
y.backward();

const show = (t: Tensor | null) => t?.item().toFixed(6) ?? "none";
console.log(`y = sigmoid(a * x + b) at a = ${a.item()}, x = ${x.item()}, b = ${b.item()}`);
console.log(`  y = ${show(y)}, dy/da = ${show(a.grad)}, dy/dx = ${show(x.grad)}, dy/db = ${show(b.grad)}`);
await save(`${out}/graph.svg`, graph(y, { gradients: true, names: { a, x, b, y } }).toSvg());

// The same function over many x at once. Each output depends on its own input alone, so the gradient of their sum
// holds the derivative at every one of them.
const curve = (x: Tensor) => x.mul(2).sub(1).sigmoid();
const xs = tensor(spaced([-4, 5], 181), { dtype: "float64" });
const h = 1e-5;
const values = curve(xs).toArray<number[]>();
const exact = grad((x: Tensor) => curve(x).sum())(xs).toArray<number[]>();
const secant = curve(xs.add(h))
  .sub(curve(xs.sub(h)))
  .div(2 * h)
  .toArray<number[]>();
const worst = Math.max(...exact.map((slope, i) => Math.abs(slope - (secant[i] ?? Number.NaN))));
console.log(`  largest difference between derivative and secant: ${worst.toExponential(1)}`);

const line = (kind: string, ys: readonly number[], every = 1) =>
  xs.toArray<number[]>().flatMap((x, i) => (i % every === 0 ? [{ x, y: ys[i], kind }] : []));
const color = { field: "kind", type: "nominal", title: null, sort: null } as const;
const position = {
  x: { field: "x", type: "quantitative", title: "x" },
  y: { field: "y", type: "quantitative", title: null },
} as const;
await draw(`${out}/derivative.svg`, {
  title: "sigmoid(2x - 1) and its derivative",
  width: 560,
  height: 320,
  layer: [
    {
      data: { values: [...line("value", values), ...line("derivative", exact)] },
      mark: { type: "line" },
      encoding: { ...position, color },
    },
    {
      data: { values: line("slope of a secant", secant, 6) },
      mark: { type: "point", size: 36 },
      encoding: { ...position, color },
    },
  ],
});
