import * as nb from "nabla";
import { type Arr, build, pick } from "../../reference/array.js";
import type { Input, Wrong } from "./case.js";
import { sampleOf, shaped } from "./shaped.js";

const input = (name: string): Input => ({ name, domain: [-1, 1] });
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Step by step and unit by unit: the outputs [t, n, hidden] of one layer in one direction. */
function net(gates: 3 | 4, [x, wi, wh, bi, bh, h0, c0]: readonly Arr[]): Arr {
  const [length, n] = x!.shape as [number, number, number];
  const size = wh!.shape[1]!;
  const h = Array.from({ length: n }, (_, b) => Array.from({ length: size }, (_, j) => pick(h0!, [0, b, j])));
  const c = Array.from({ length: n }, (_, b) => Array.from({ length: size }, (_, j) => (c0 ? pick(c0, [0, b, j]) : 0)));
  const outputs: number[][][] = [];
  for (let t = 0; t < length; t++)
    outputs.push(
      h.map((old, b) => {
        const next = old.map((before, j) => {
          const own = (gate: number): number =>
            Array.from(
              { length: x!.shape[2]! },
              (_, k) => pick(wi!, [gate * size + j, k]) * pick(x!, [t, b, k]),
            ).reduce((sum, term) => sum + term, pick(bi!, [gate * size + j]));
          const kept = (gate: number): number =>
            old.reduce((sum, value, k) => sum + pick(wh!, [gate * size + j, k]) * value, pick(bh!, [gate * size + j]));
          const open = (gate: number): number => sigmoid(own(gate) + kept(gate));
          if (gates === 3) {
            const fresh = Math.tanh(own(2) + open(0) * kept(2));
            return (1 - open(1)) * fresh + open(1) * before;
          }
          c[b]![j] = open(1) * c[b]![j]! + open(0) * Math.tanh(own(2) + kept(2));
          return open(3) * Math.tanh(c[b]![j]!);
        });
        h[b] = next;
        return next;
      }),
    );
  return build([length, n, size], ([t, b, j]) => outputs[t!]![b!]![j!]!);
}

const sizes = [
  [1, 1, 1, 1],
  [3, 2, 3, 2],
  [2, 0, 3, 2],
  [5, 1, 2, 4],
  [6, 40, 24, 32],
] as const;
const wrong = (call: (x: nb.Tensor, w: nb.RecurrentWeights[], o?: object) => unknown, gates: number): Wrong[] => {
  const layer = { weightIh: nb.ones([2 * gates, 3]), weightHh: nb.ones([2 * gates, 2]) };
  const x = nb.ones([4, 1, 3]);
  return [
    { what: "a vector", call: () => call(nb.ones([3]), [layer]), code: "ERR_SHAPE", says: /is no sequence/ },
    { what: "other features", call: () => call(nb.ones([4, 1, 2]), [layer]), code: "ERR_SHAPE" },
    { what: "no step", call: () => call(nb.ones([0, 1, 3]), [layer]), code: "ERR_SHAPE" },
    { what: "no layer", call: () => call(x, []), code: "ERR_ARGUMENT" },
    { what: "one direction of two", call: () => call(x, [layer], { bidirectional: true }), code: "ERR_ARGUMENT" },
    { what: "a state too small", call: () => call(x, [layer], { h0: nb.ones([1, 1, 1]) }), code: "ERR_SHAPE" },
    { what: "integers", call: () => call(nb.ones([4, 1, 3], { dtype: "int32" }), [layer]), code: "ERR_DTYPE" },
    { what: "an unknown option", call: () => call(x, [layer], { layers: 1 }), code: "ERR_ARGUMENT" },
  ];
};

function recurrent(gates: 3 | 4, call: (xs: readonly nb.Tensor[]) => nb.Tensor, errors: Wrong[]) {
  const names = ["x", "weightIh", "weightHh", "biasIh", "biasHh", "h0", ...(gates === 4 ? ["c0"] : [])];
  return shaped(
    names.map(input),
    sizes.map(([t, n, features, hidden]) => {
      const rows = gates * hidden;
      const state = [1, n, hidden];
      const shapes = [[t, n, features], [rows, features], [rows, hidden], [rows], [rows], state, state];
      return sampleOf(shapes.slice(0, names.length), {
        call,
        reference: (xs) => net(gates, xs),
        // Rounding in a gate is that of a sum of terms of at most 1, and passes through every step.
        scale: () => build([t, n, hidden], () => t),
        terms: features + hidden + 2,
      });
    }),
    errors,
  );
}

export const recurrentCases = {
  lstm: recurrent(
    4,
    ([x, weightIh, weightHh, biasIh, biasHh, h0, c0]) =>
      nb.lstm(x!, [{ weightIh: weightIh!, weightHh: weightHh!, biasIh, biasHh }], { h0, c0 }).output,
    wrong(nb.lstm, 4),
  ),
  gru: recurrent(
    3,
    ([x, weightIh, weightHh, biasIh, biasHh, h0]) =>
      nb.gru(x!, [{ weightIh: weightIh!, weightHh: weightHh!, biasIh, biasHh }], { h0 }).output,
    wrong(nb.gru, 3),
  ),
};
