import { needNumber, needShare } from "../core/arguments.js";
import { type DTypeRow, promote } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { broadcast, numel, type Shape, sameShape, showShape } from "../core/shape.js";
import { apply } from "../engine/apply.js";
import { isTracked } from "../engine/batched.js";
import type { TensorSpec } from "../engine/cost.js";
import { mode } from "../engine/modes.js";
import { needFloat, needTensor } from "../engine/operand.js";
import { defineKernel, defineRow, type Row } from "../engine/row.js";
import { general } from "../engine/rule.js";
import { runKernel } from "../engine/run-kernel.js";
import { arange } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { defaultGenerator, masked } from "./random.js";

export interface AttentionOptions {
  /** A bool mask, true for keys that a query may attend to, or floats that are added to the scores. */
  readonly attnMask?: Tensor | null | undefined;
  /** The dropout probability of the weights; default 0. It is always applied, so pass 0 when not training. */
  readonly dropoutP?: number | undefined;
  /** Whether query i attends only to keys up to i; default false. */
  readonly isCausal?: boolean | undefined;
  /** The factor on the scores; default 1 / sqrt(e). */
  readonly scale?: number | undefined;
  /**
   * Whether groups of adjacent query heads share one head of keys and values (grouped-query attention); default false.
   */
  readonly enableGqa?: boolean | undefined;
}

/** The parameters of the weights: `drop` holds the random key and the dropout probability; empty without dropout. */
interface Weighing {
  readonly scale: number;
  readonly causal: boolean;
  readonly drop: readonly number[];
}

/** @internal The causal mask [queries, keys]: true where j <= i. */
export const causalMask = (queries: number, keys: number): Tensor =>
  arange(queries, { dtype: "int32" })
    .unsqueeze(1)
    .ge(arange(keys, { dtype: "int32" }));

const transposed = (x: Tensor): Tensor => x.transpose(-2, -1);
const along = (x: Tensor): Tensor => x.sum(-1, { keepdim: true });

/**
 * @internal The attention weights: for each query they sum to 1, or are 0 if it can attend to no key. The mask is bool,
 * true for visible keys, or floats.
 */
export function attentionWeights(query: Tensor, key: Tensor, mask: Tensor | null, p: Weighing): Tensor {
  let scores = query.mul(p.scale).matmul(transposed(key));
  let seen = p.causal ? causalMask(query.shape.at(-2)!, key.shape.at(-2)!) : null;
  if (mask?.type.kind === "float") scores = scores.add(mask);
  else if (mask) seen = seen ? seen.logicalAnd(mask) : mask;
  if (seen) scores = seen.where(scores, Number.NEGATIVE_INFINITY);
  if (mask === null || scores.numel === 0) return scores.softmax(-1);
  // If a query can attend to no key, its weights are 0 instead of 0 / 0.
  const blind = scores.detach().amax(-1, { keepdim: true }).eq(Number.NEGATIVE_INFINITY);
  return blind.where(0, blind.where(0, scores).softmax(-1));
}

// The row takes query [.., g, l, e], key [.., s, e] and value [.., s, v], where the g groups of queries share keys and
// values, with the same leading dimensions; the mask is [.., g, l, s].
const shared = (x: Tensor): Tensor => x.unsqueeze(-3);
const dropped = (weights: Tensor, p: Weighing): Tensor => (p.drop.length === 0 ? weights : masked(weights, p.drop));

const composed = (query: Tensor, key: Tensor, value: Tensor, mask: Tensor | null, p: Weighing): Tensor =>
  dropped(attentionWeights(query, shared(key), mask, p), p).matmul(shared(value));

/** The gradients of query, key and value in ops that can be differentiated again. */
function composedGradients(g: Tensor, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | null, p: Weighing): Tensor[] {
  const weights = attentionWeights(q, shared(k), mask, p);
  const byWeights = dropped(g.matmul(transposed(shared(v))), p);
  const byScores = weights.mul(byWeights.sub(along(byWeights.mul(weights)))).mul(p.scale);
  return [
    byScores.matmul(shared(k)),
    transposed(byScores).matmul(q).sum(-3),
    transposed(dropped(weights, p)).matmul(g).sum(-3),
  ];
}

const attrsOf = (p: Weighing): number[] =>
  p.drop.length === 0
    ? [p.scale, p.causal ? 1 : 0, 0]
    : [p.scale, p.causal ? 1 : 0, p.drop.at(-1)!, ...p.drop.slice(0, -1)];

// Up to this number of keys, weights are kept for the gradient; beyond it, the log-sum-exps, from which the kernel
// recomputes them.
const KEPT_KEYS = 1024;
const KEPT_WEIGHTS = 2 ** 23;
// Pads rows of kept weights so that they do not all map to the same cache sets; the last element is the row's factor.
const LINE = 16;

/** The shape of the residual output, for scores of a shape. That of halves also holds the result before it is rounded. */
function residual(type: DTypeRow, rows: Shape, keys: number, width: number): Shape {
  const keep = keys <= KEPT_KEYS && numel(rows) * keys <= KEPT_WEIGHTS;
  const scores = keep ? [...rows, (Math.ceil(keys / LINE) + 1) * LINE] : rows;
  return type.half ? [numel(scores) + numel(rows) * width] : scores;
}

/** For each visible score: products over the length of keys and of values (a multiply-add counts 2), and `others`. */
function attentionFlops(
  query: TensorSpec,
  key: TensorSpec,
  value: TensorSpec,
  causal: boolean,
  byKeys: number,
  byValues: number,
  others: number,
): number {
  const [length, e] = query.shape.slice(-2) as [number, number];
  const [keys, v] = [key.shape.at(-2)!, value.shape.at(-1)!];
  const corner = Math.min(length, keys);
  const seen = causal
    ? length * keys - (corner * (corner - 1)) / 2 - Math.max(keys - length, 0) * length
    : length * keys;
  return numel(query.shape.slice(0, -2)) * seen * (2 * (e * byKeys + v * byValues) + others);
}

const backward = defineKernel<Weighing>({
  name: "attentionBackward",
  family: "fused",
  accuracy: "tree",
  flops: ({ inputs: [, , q, k, v], attrs }) => attentionFlops(q!, k!, v!, attrs[1] === 1, 3, 2, 10),
});

const attentionRow: Row<Weighing> = defineRow<Weighing>({
  name: "scaledDotProductAttention",
  family: "fused",
  kernel: "attention",
  halves: true,
  flops: ({ inputs: [q, k, v], attrs }) => attentionFlops(q!, k!, v!, attrs[1] === 1, 1, 1, 5),
  inputs: 4,
  accuracy: "tree",
  rule: general(["out", "x", "y", "z", "w?"], {
    vjp: (g, [, q, k, v, mask], { params }) => [...composedGradients(g, q, k, v, mask ?? null, params), null],
    fused: (g, [out, q, k, v, mask], c) => {
      const kept = c.residual();
      if (kept === null) return null;
      const inputs = [g, out, q, k, v, kept, ...(mask === undefined ? [] : [mask])];
      const results = [q, k, v].map(({ type, shape }) => ({ type, shape }));
      return [...runKernel({ row: backward, inputs, results, attrs: attrsOf(c.params), params: c.params }), null];
    },
    jvp: ([tq, tk, tv], [, q, k, v, mask], { params }) => {
      const weights = attentionWeights(q, shared(k), mask ?? null, params);
      const parts: Tensor[] = [];
      if (tq || tk) {
        const byQuery = tq ? [tq.matmul(transposed(shared(k)))] : [];
        const byKey = tk ? [q.matmul(transposed(shared(tk)))] : [];
        const scores = [...byQuery, ...byKey].reduce((a, b) => a.add(b)).mul(params.scale);
        const moved = weights.mul(scores.sub(along(weights.mul(scores))));
        parts.push(dropped(moved, params).matmul(shared(v)));
      }
      if (tv) parts.push(dropped(weights, params).matmul(shared(tv)));
      return parts.reduce((a, b) => a.add(b));
    },
  }),
  replay: ([q, k, v, mask], p) => run(q as Tensor, k as Tensor, v as Tensor, (mask as Tensor) ?? null, p),
  batch: {
    composed: ([q, k, v, mask], p) => composed(q as Tensor, k as Tensor, v as Tensor, (mask as Tensor) ?? null, p),
  },
});

function run(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | null, p: Weighing): Tensor {
  const rows = q.shape.slice(0, -1);
  const inputs = mask === null ? [q, k, v] : [q, k, v, mask];
  const { type } = q;
  const width = v.shape.at(-1)!;
  const kept = residual(type, rows, k.shape.at(-2)!, width);
  return apply(attentionRow, inputs, type, type, [...rows, width], attrsOf(p), p, kept);
}

/** The mask, if any; ERR_SHAPE if it does not fit the scores. */
function checkedMask(op: string, given: Tensor | null | undefined, scores: Shape): Tensor | null {
  if (given === undefined || given === null) return null;
  const mask = needTensor(op, given, "the mask");
  if (broadcast(op, mask.shape, scores).length !== scores.length)
    fail("ERR_SHAPE", op, "the mask has more dimensions than the scores", showShape(scores), showShape(mask.shape));
  if (mask.type.kind !== "bool" && mask.type.kind !== "float")
    fail("ERR_DTYPE", op, "a mask holds truth values or floats", "bool or a float dtype", mask.dtype);
  return mask;
}

/** The number of query heads for each head of keys and values. */
function groupsOf(op: string, query: Tensor, key: Tensor, value: Tensor): number {
  const heads = query.shape[query.ndim - 3] ?? 1;
  for (const x of [key, value]) {
    const own = x.shape[x.ndim - 3];
    if (own === undefined || own === 0 || heads % own !== 0)
      fail("ERR_SHAPE", op, "the heads do not share evenly", `a divisor of ${heads} heads`, showShape(x.shape));
  }
  if (key.shape[key.ndim - 3] !== value.shape[value.ndim - 3])
    fail("ERR_SHAPE", op, "keys and values differ in heads", showShape(key.shape), showShape(value.shape));
  return heads / key.shape[key.ndim - 3]!;
}

/**
 * `softmax(query keyᵀ scale + mask) value`: for each query the mean of the values, weighted by how well their keys
 * match. A query that can attend to no key gives zeros. The scores are computed in blocks, so the full matrix is never
 * in memory. For backward, small weight matrices are saved, large ones recomputed.
 * @shape query [.., l, e], key [.., s, e], value [.., s, v], leading dimensions broadcast; gives [.., l, v]. The mask
 * broadcasts to [.., l, s]. With `enableGqa`, query [.., h, l, e] and key [.., h / n, s, e].
 * @dtype a float dtype; promoted.
 * @gradient for query, key, value and a float mask, through the products and the softmax.
 * @throws ERR_SHAPE if the sizes do not fit; ERR_DTYPE for integers; ERR_ARGUMENT for a mask together with isCausal.
 * @source Vaswani et al., Attention is all you need, 2017; Dao et al., FlashAttention, 2022.
 * @example scaledDotProductAttention(ones([1, 2]), zeros([3, 2]), tensor([[1], [2], [6]])).item(); // 3
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options?: AttentionOptions,
): Tensor {
  const op = "scaledDotProductAttention";
  const given = [query, key, value];
  const type = ["the query", "the key", "the value"]
    .map((what, i) => needFloat(op, needTensor(op, given[i], what)).type)
    .reduce(promote);
  const o = checkOptions<AttentionOptions>(op, options, ["attnMask", "dropoutP", "scale"], ["isCausal", "enableGqa"]);
  const p = o.dropoutP ?? 0;
  needShare(op, "dropoutP", p);
  const ranks = query.ndim >= 2 && key.ndim >= 2 && value.ndim >= 2;
  if (!ranks || query.shape.at(-1) !== key.shape.at(-1) || key.shape.at(-2) !== value.shape.at(-2))
    fail(
      "ERR_SHAPE",
      op,
      "query, key and value do not fit",
      "[.., l, e], [.., s, e] and [.., s, v]",
      given.map((x) => showShape(x.shape)).join(", "),
    );
  const causal = o.isCausal === true;
  if (causal && o.attnMask) fail("ERR_ARGUMENT", op, "a mask and isCausal exclude each other", "one of them", "both");
  const grouped = o.enableGqa === true;
  const groups = grouped ? groupsOf(op, query, key, value) : 1;
  const [length, size] = query.shape.slice(-2) as [number, number];
  const [keys, width] = value.shape.slice(-2) as [number, number];
  const scale = needNumber(op, "the scale", o.scale ?? 1 / Math.sqrt(Math.max(size, 1)));

  // The common leading dimensions: those of the queries without the groups.
  const front = (x: Tensor): Shape => x.shape.slice(0, -2);
  const queryFront = grouped ? [...query.shape.slice(0, -3), query.shape[query.ndim - 3]! / groups] : front(query);
  const lead = broadcast(op, broadcast(op, queryFront, front(key)), front(value));
  const outer = grouped ? [...lead.slice(0, -1), lead.at(-1)! * groups] : lead;
  const mask = checkedMask(op, o.attnMask, [...outer, length, keys]);

  // The kernel has no gradient for the mask.
  const learned = mask !== null && isTracked(mask) && mode.grad;
  const shapes = [size, size, width].map((rest, i) => (i === 0 ? [...outer, length, rest] : [...lead, keys, rest]));
  const spread = (x: Tensor, shape: Shape): Tensor => (sameShape(x.shape, shape) ? x : x.expand(shape));
  const split = (x: Tensor): Tensor => x.reshape([...lead, groups, ...x.shape.slice(-2)]);
  // Half precision is converted before it is broadcast, so that gradients are summed before they are rounded.
  const typed = (x: Tensor): Tensor => x.to(type.compute.name);
  const fit = !learned && given.every((x, i) => sameShape(x.shape, shapes[i]!));
  const inputs = given.map((x, i) => spread(fit ? x.to(type.name) : typed(x), shapes[i]!));
  const [q, k, v] = [split(inputs[0]!), inputs[1]!, inputs[2]!];
  const m =
    mask === null ? null : split(spread(mask.type.kind === "float" ? typed(mask) : mask, [...outer, length, keys]));
  const drop = p === 0 || p === 1 ? [] : [...defaultGenerator.next(), p];
  const weighing: Weighing = { scale, causal, drop };
  const y = (learned ? composed : run)(q, k, v, m, weighing).reshape([...outer, length, width]);
  return (p === 1 ? y.mul(0) : y).to(type.name);
}
