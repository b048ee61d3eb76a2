/**
 * Recurrent networks over a sequence. One matrix product multiplies the inputs of all steps by their weights; then each
 * step needs one product, for the state.
 */
import { needShare } from "../core/arguments.js";
import { describe, fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { type Shape, sameShape, showShape } from "../core/shape.js";
import { meeting } from "../engine/float32-fallback.js";
import { needFloat, needTensor } from "../engine/operand.js";
import { zeros } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { cat, stack } from "./join.js";
import { addmm, linear } from "./matmul.js";
import { dropout } from "./random.js";

/** The weights of one layer in one direction; gates are stacked in the first dimension. */
export interface RecurrentWeights {
  /** [gates * hidden, features]: from the input to the gates. */
  readonly weightIh: Tensor;
  /** [gates * hidden, hidden]: from the state to the gates. */
  readonly weightHh: Tensor;
  /** [gates * hidden]. Both biases are given, or neither. */
  readonly biasIh?: Tensor | null | undefined;
  readonly biasHh?: Tensor | null | undefined;
}
export interface GruOptions {
  /** The initial state, [layers * directions, n, hidden]; default zeros. */
  readonly h0?: Tensor | null | undefined;
  /** Whether every layer is bidirectional; default false. */
  readonly bidirectional?: boolean | undefined;
  /** Whether sequences are [n, t, features] instead of [t, n, features]; default false. */
  readonly batchFirst?: boolean | undefined;
  /** The dropout probability between layers while training; default 0. */
  readonly dropout?: number | undefined;
  /** Whether dropout is applied; default true. */
  readonly training?: boolean | undefined;
}
export interface LstmOptions extends GruOptions {
  /** The initial cell state, shaped as h0; default zeros. */
  readonly c0?: Tensor | null | undefined;
}
/** The result of {@link gru}. */
export interface GruResult {
  /** The last layer's states at all steps, with both directions concatenated. */
  readonly output: Tensor;
  /** The final state of each layer and direction, shaped as h0. */
  readonly hn: Tensor;
}
/** The result of {@link lstm}. */
export interface LstmResult extends GruResult {
  /** The final cell state, shaped as hn. */
  readonly cn: Tensor;
}

/** What differs between LSTM and GRU. */
interface Kind {
  readonly op: string;
  readonly gates: number;
  /** The names of its states. */
  readonly states: readonly string[];
  /** The inputs of all steps times the gates' input weights. */
  project(x: Tensor, w: RecurrentWeights): Tensor;
  /** The states after a step; the first is the layer's output. */
  step(projected: Tensor, states: readonly Tensor[], w: RecurrentWeights): readonly Tensor[];
}

const lstmKind: Kind = {
  op: "lstm",
  gates: 4,
  states: ["h0", "c0"],
  project: (x, { weightIh, biasIh, biasHh }) => linear(x, weightIh, biasIh && biasHh ? biasIh.add(biasHh) : null),
  step(projected, [h, c], { weightHh }) {
    const size = h!.shape[1]!;
    const gates = addmm(projected, h!, weightHh.t());
    const opened = gates.narrow(1, 0, 2 * size).sigmoid();
    const fresh = gates.narrow(1, 2 * size, size).tanh();
    const shown = gates.narrow(1, 3 * size, size).sigmoid();
    const cell = opened
      .narrow(1, size, size)
      .mul(c!)
      .add(opened.narrow(1, 0, size).mul(fresh));
    return [shown.mul(cell.tanh()), cell];
  },
};

const gruKind: Kind = {
  op: "gru",
  gates: 3,
  states: ["h0"],
  project: (x, { weightIh, biasIh }) => linear(x, weightIh, biasIh),
  step(projected, [h], { weightHh, biasHh }) {
    const size = h!.shape[1]!;
    const recurrent = linear(h!, weightHh, biasHh);
    const opened = projected
      .narrow(1, 0, 2 * size)
      .add(recurrent.narrow(1, 0, 2 * size))
      .sigmoid();
    const [reset, kept] = opened.split(size, 1) as [Tensor, Tensor];
    const fresh = projected
      .narrow(1, 2 * size, size)
      .add(reset.mul(recurrent.narrow(1, 2 * size, size)))
      .tanh();
    return [fresh.add(kept.mul(h!.sub(fresh)))];
  },
};

/**
 * The steps of [t, ..], split recursively in halves: in backward an element is then copied log t times instead of t
 * times.
 */
function steps(x: Tensor): Tensor[] {
  const length = x.shape[0]!;
  if (length <= 1) return [x.squeeze(0)];
  const half = length >> 1;
  return [...steps(x.narrow(0, 0, half)), ...steps(x.narrow(0, half, length - half))];
}

/** Runs one layer in one direction over [t, n, features]: its output at every step, and its final states. */
function along(kind: Kind, x: Tensor, w: RecurrentWeights, first: readonly Tensor[], backward: boolean) {
  const inputs = steps(kind.project(x, w));
  if (backward) inputs.reverse();
  let states = first;
  const outputs = inputs.map((projected) => {
    states = kind.step(projected, states, w);
    return states[0]!;
  });
  if (backward) outputs.reverse();
  return { output: stack(outputs), states };
}

function checkWeights(kind: Kind, weights: readonly RecurrentWeights[], features: number, directions: number): number {
  const { op } = kind;
  if (!Array.isArray(weights) || weights.length === 0 || weights.length % directions !== 0)
    fail(
      "ERR_ARGUMENT",
      op,
      "the weights are not valid",
      directions === 2 ? "an array of two objects a layer" : "an array of one object a layer",
      describe(weights),
    );
  const first = needTensor(op, weights[0]?.weightHh, "weightHh");
  const hidden = first.shape[1] ?? 0;
  const rows = kind.gates * hidden;
  weights.forEach((w, i) => {
    const inputs = i < directions ? features : directions * hidden;
    const { weightIh, weightHh, biasIh, biasHh } = w ?? {};
    if (!biasIh !== !biasHh)
      fail("ERR_ARGUMENT", op, `one bias of weights ${i} is missing`, "biasIh and biasHh, or neither", "one of them");
    const wanted: [string, unknown, Shape][] = [
      ["weightIh", weightIh, [rows, inputs]],
      ["weightHh", weightHh, [rows, hidden]],
    ];
    if (biasIh) wanted.push(["biasIh", biasIh, [rows]], ["biasHh", biasHh, [rows]]);
    for (const [name, value, shape] of wanted) {
      const x = needFloat(op, needTensor(op, value, name));
      if (!sameShape(x.shape, shape))
        fail("ERR_SHAPE", op, `${name} of weights ${i} does not fit`, showShape(shape), showShape(x.shape));
    }
  });
  return hidden;
}

const known = ["h0", "dropout"] as const;
const flags = ["bidirectional", "batchFirst", "training"] as const;

/** Converts half precision to float32. */
const inCompute = (x: Tensor): Tensor => x.to(x.type.compute.name);

const computeWeights = ({ weightIh, weightHh, biasIh, biasHh }: RecurrentWeights): RecurrentWeights => ({
  weightIh: inCompute(weightIh),
  weightHh: inCompute(weightHh),
  biasIh: biasIh && inCompute(biasIh),
  biasHh: biasHh && inCompute(biasHh),
});

/** The last layer's output and all final states; half precision is computed in float32 throughout and rounded once. */
function run(
  kind: Kind,
  x: Tensor,
  weights: readonly RecurrentWeights[],
  given: Partial<LstmOptions>,
): [output: Tensor, ...states: Tensor[]] {
  const results = unrounded(kind, x, weights, given);
  const states = kind.states.map((name) => given[name as "h0" | "c0"]);
  const tensors = [x, ...weights.flatMap((w) => [w.weightIh, w.weightHh, w.biasIh, w.biasHh]), ...states];
  const type = meeting(tensors.filter((one) => one !== undefined && one !== null));
  return type.half ? (results.map((y) => y.to(type.name)) as typeof results) : results;
}

/** The same on float32 copies of half-precision tensors; final states are stacked like the initial ones. */
function unrounded(
  kind: Kind,
  x: Tensor,
  weights: readonly RecurrentWeights[],
  given: Partial<LstmOptions>,
): [output: Tensor, ...states: Tensor[]] {
  const { op } = kind;
  const { bidirectional = false, batchFirst = false, dropout: p = 0, training = true } = given;
  needFloat(op, needTensor(op, x));
  const batched = x.ndim === 3;
  const order = batchFirst ? "[n, t, features]" : "[t, n, features]";
  if (!batched && x.ndim !== 2)
    fail("ERR_SHAPE", op, "the input is no sequence", `${order} or [t, features]`, showShape(x.shape));
  needShare(op, "dropout", p);
  const directions = bidirectional ? 2 : 1;
  const hidden = checkWeights(kind, weights, x.shape.at(-1)!, directions);
  let layer = inCompute(batched ? (batchFirst ? x.transpose(0, 1) : x) : x.unsqueeze(1));
  const [length, n] = layer.dims(3);
  if (length === 0) fail("ERR_SHAPE", op, "the sequence is empty", "at least one step", showShape(x.shape));

  const shape = batched ? [weights.length, n, hidden] : [weights.length, hidden];
  const first = kind.states.map((name) => {
    const state = given[name as "h0" | "c0"];
    if (state === undefined || state === null) return zeros([weights.length, n, hidden], { dtype: layer.dtype });
    needFloat(op, needTensor(op, state, name));
    if (!sameShape(state.shape, shape))
      fail("ERR_SHAPE", op, `${name} does not fit`, showShape(shape), showShape(state.shape));
    return inCompute(batched ? state : state.unsqueeze(1));
  });
  const all = weights.map(computeWeights);
  const last: (readonly Tensor[])[] = [];
  for (let at = 0; at < weights.length; at += directions) {
    if (at > 0 && p > 0 && training) layer = dropout(layer, p);
    const outputs = all.slice(at, at + directions).map((w, backward) => {
      const before = first.map((state) => state.narrow(0, at + backward, 1).squeeze(0));
      const { output, states } = along(kind, layer, w, before, backward === 1);
      last.push(states);
      return output;
    });
    layer = outputs.length === 1 ? outputs[0]! : cat(outputs, 2);
  }
  const after = kind.states.map((_, s) => stack(last.map((states) => states[s]!)));
  if (!batched) return [layer.squeeze(1), ...after.map((state) => state.squeeze(1))];
  return [batchFirst ? layer.transpose(0, 1) : layer, ...after];
}

/**
 * A long short-term memory (LSTM) network over a sequence. In each layer and step, `x weightIhᵀ + h weightHhᵀ` plus
 * both biases is split into i, f, g and o; then `c = sigmoid(f) c + sigmoid(i) tanh(g)` and `h = sigmoid(o) tanh(c)`.
 * `weights` holds the layers in order; with `bidirectional`, each layer's forward direction and then its backward one.
 * @shape x [t, n, features], [n, t, features] with `batchFirst`, or [t, features]; gives `output` with directions * hidden in
 * the place of features, and `hn` and `cn` [layers * directions, n, hidden].
 * @dtype a float dtype. @gradient through all steps.
 * @throws ERR_SHAPE if weights, states and input do not fit, or for an empty sequence; ERR_DTYPE for integers;
 * ERR_ARGUMENT for an invalid option, or one bias without the other.
 * @source Hochreiter and Schmidhuber, Long short-term memory, 1997.
 * @example
 * const layer = { weightIh: ones([8, 3]), weightHh: ones([8, 2]) };
 * const { output, hn, cn } = lstm(ones([5, 4, 3]), [layer]);
 * output.shape; // [5, 4, 2]
 * cn.shape; // [1, 4, 2]
 */
export function lstm(x: Tensor, weights: readonly RecurrentWeights[], options?: LstmOptions): LstmResult {
  const given = checkOptions<LstmOptions>("lstm", options, [...known, "c0"], flags);
  const [output, hn, cn] = run(lstmKind, x, weights, given) as [Tensor, Tensor, Tensor];
  return { output, hn, cn };
}

/**
 * A network of gated recurrent units (GRU) over a sequence. In each layer and step, `a = x weightIhᵀ + biasIh` and `b =
 * h weightHhᵀ + biasHh` are split into the parts of r, z and n; then `r = sigmoid(a_r + b_r)`, `z = sigmoid(a_z +
 * b_z)`, `n = tanh(a_n + r b_n)` and `h = (1 - z) n + z h`. `weights` is ordered as in {@link lstm}.
 * @shape as {@link lstm}, without `cn`. @dtype a float dtype. @gradient through all steps.
 * @throws as {@link lstm}.
 * @source Cho et al., Learning phrase representations using RNN encoder-decoder, 2014; the reset gate as in cuDNN.
 * @example
 * const layer = { weightIh: ones([6, 3]), weightHh: ones([6, 2]) };
 * gru(ones([5, 4, 3]), [layer]).output.shape; // [5, 4, 2]
 */
export function gru(x: Tensor, weights: readonly RecurrentWeights[], options?: GruOptions): GruResult {
  const [output, hn] = run(gruKind, x, weights, checkOptions<GruOptions>("gru", options, known, flags)) as [
    Tensor,
    Tensor,
  ];
  return { output, hn };
}
