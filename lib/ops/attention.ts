import { describe, fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { broadcast, showShape } from "../core/shape.js";
import { needFloat, needNumber, needTensor } from "../engine/operand.js";
import { arange } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { dropout } from "./random.js";

export interface AttentionOptions {
  /** Which keys a query may see: true for those that take part, or floats that are added to the scores. */
  readonly attnMask?: Tensor | null | undefined;
  /** The share of the weights that becomes 0; 0 unless given. Always in force: give 0 when not training. */
  readonly dropoutP?: number | undefined;
  /** Whether query i sees the keys up to i only; false unless given. */
  readonly isCausal?: boolean | undefined;
  /** The factor on the scores; 1 / sqrt(e) unless given. */
  readonly scale?: number | undefined;
  /** Whether several heads of the queries, next to each other, share one of keys and values; false unless given. */
  readonly enableGqa?: boolean | undefined;
}

/** x with each head as often in a row as makes `heads` of them. */
function repeatedHeads(op: string, x: Tensor, heads: number): Tensor {
  const own = x.shape[x.ndim - 3];
  if (own === undefined || own === 0 || heads % own !== 0)
    fail("ERR_SHAPE", op, "the heads do not share evenly", `a divisor of ${heads} heads`, showShape(x.shape));
  const lead = x.shape.slice(0, -3);
  const [length, size] = x.shape.slice(-2) as [number, number];
  return x
    .unsqueeze(-3)
    .expand([...lead, own, heads / own, length, size])
    .reshape([...lead, heads, length, size]);
}

/** @internal [queries, keys], true where query i may see key j: up to j = i. */
export const causalMask = (queries: number, keys: number): Tensor =>
  arange(queries, { dtype: "int32" })
    .unsqueeze(1)
    .ge(arange(keys, { dtype: "int32" }));

// Finite, so that a query that may see no key gets zeros and not NaN.
const hidden = -1e38;

/** @internal The weights that queries give to keys; those of a query add up to 1, or are 0 where it sees no key. */
export function attentionWeights(op: string, query: Tensor, key: Tensor, o: AttentionOptions): Tensor {
  const [length, size] = query.shape.slice(-2) as [number, number];
  const keys = key.shape[key.ndim - 2]!;
  const scale = needNumber(op, "the scale", o.scale ?? 1 / Math.sqrt(Math.max(size, 1)));
  const scores = query.mul(scale).matmul(key.transpose(-2, -1));
  const causal = o.isCausal === true;
  let mask: Tensor | null = null;
  if (o.attnMask !== undefined && o.attnMask !== null) mask = needTensor(op, o.attnMask, "the mask");
  if (mask !== null) {
    if (causal) fail("ERR_ARGUMENT", op, "a mask and isCausal exclude each other", "one of them", "both");
    if (broadcast(op, mask.shape, scores.shape).length !== scores.ndim)
      fail(
        "ERR_SHAPE",
        op,
        "the mask has more dimensions than the scores",
        showShape(scores.shape),
        showShape(mask.shape),
      );
    if (mask.type.kind === "float") return scores.add(mask.to(scores.dtype)).softmax(-1);
    if (mask.type.kind !== "bool")
      fail("ERR_DTYPE", op, "a mask holds truth values or floats", "bool or a float dtype", mask.dtype);
    return mask.where(mask.where(scores, hidden).softmax(-1), 0);
  }
  if (!causal) return scores.softmax(-1);
  const seen = arange(length, { dtype: "int32" })
    .unsqueeze(1)
    .ge(arange(keys, { dtype: "int32" }));
  return seen.where(scores, Number.NEGATIVE_INFINITY).softmax(-1);
}

/**
 * `softmax(query keyᵀ scale + mask) value`: for each query the mean of the values, weighted by how well their keys fit.
 * A query that may see no key gives zeros.
 * @shape query [.., l, e], key [.., s, e], value [.., s, v], leading dimensions broadcast; gives [.., l, v]. The mask
 * broadcasts to [.., l, s]. With `enableGqa`, query [.., h, l, e] and key [.., h / n, s, e].
 * @gradient through the products and the softmax.
 * @throws ERR_SHAPE where the sizes do not fit; ERR_DTYPE for integers; ERR_ARGUMENT for a mask together with isCausal.
 * @source Vaswani et al., Attention is all you need, 2017.
 * @example scaledDotProductAttention(ones([1, 2]), zeros([3, 2]), tensor([[1], [2], [6]])).item(); // 3
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options?: AttentionOptions,
): Tensor {
  const op = "scaledDotProductAttention";
  needFloat(op, needTensor(op, query, "the query"));
  needFloat(op, needTensor(op, key, "the key"));
  needFloat(op, needTensor(op, value, "the value"));
  const o = checkOptions<AttentionOptions>(op, options, ["attnMask", "dropoutP", "isCausal", "scale", "enableGqa"]);
  const p = o.dropoutP ?? 0;
  if (!(typeof p === "number" && p >= 0 && p <= 1))
    fail("ERR_ARGUMENT", op, "dropoutP is not a probability", "0 to 1", describe(p));
  const ranks = query.ndim >= 2 && key.ndim >= 2 && value.ndim >= 2;
  if (!ranks || query.shape.at(-1) !== key.shape.at(-1) || key.shape.at(-2) !== value.shape.at(-2))
    fail(
      "ERR_SHAPE",
      op,
      "query, key and value do not fit",
      "[.., l, e], [.., s, e] and [.., s, v]",
      [query, key, value].map((x) => showShape(x.shape)).join(", "),
    );
  const heads = query.shape[query.ndim - 3] ?? 1;
  const shared = (x: Tensor): Tensor => (o.enableGqa === true ? repeatedHeads(op, x, heads) : x);
  const [keys, values] = [shared(key), shared(value)];
  broadcast(op, broadcast(op, query.shape.slice(0, -2), keys.shape.slice(0, -2)), values.shape.slice(0, -2));
  const weights = attentionWeights(op, query, keys, o);
  return (p === 0 ? weights : dropout(weights, p)).matmul(values);
}
