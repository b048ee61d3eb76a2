/** Runs ops inside vmap once for the whole batch. */
import type { DTypeRow } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import type { Shape } from "../core/shape.js";
import { Batched, belongsTo, innermost, type Level, type Randomness } from "../engine/batched.js";
import type { Call, Interceptor } from "../engine/call.js";
import { intercepting, mode } from "../engine/modes.js";
import { type Batch, type Operand, type Row, savesOf } from "../engine/row.js";
import { OpNode, tracked } from "../engine/tape.js";
import { stack } from "../ops/join.js";
import { zeros } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";

/** The vmap whose function is running. */
let current: Level | null = null;
/** @internal */
export const isBatching = (): boolean => current !== null;

function as<T>(level: Level | null, f: () => T): T {
  const before = current;
  current = level;
  try {
    return f();
  } finally {
    current = before;
  }
}

/** Runs `f` at a new vmap level, which ends when `f` returns. */
export function inVmap<T>(size: number, randomness: Randomness, f: (level: Level) => T): T {
  const depth = (current?.depth ?? 0) + 1;
  const level: Level = { size, randomness, outer: current, depth, running: true };
  const around = mode.intercept;
  const intercept = depth === 1 ? (call: Call) => take(call, around) : around;
  try {
    return as(level, () => intercepting(intercept, () => f(level)));
  } finally {
    level.running = false;
  }
}

function take(call: Call, around: Interceptor | null): readonly Tensor[] {
  const { row, inputs, results } = call;
  const level = row.family === "random" && current !== null ? current : innermost(inputs);
  if (level === null) return around === null ? call.run() : around(call);
  if (!level.running)
    fail("ERR_ARGUMENT", row.name, "a tensor of a vmap that has ended; return it from the function instead");
  if (inputs.some((x) => x instanceof Batched && x.disposed))
    fail("ERR_DISPOSED", row.name, "the tensor has been disposed of");
  if (results.length !== 1 || call.targets.length > 0)
    fail("ERR_ARGUMENT", row.name, "inside vmap a tensor stands for a batch and is not written to");
  if (row.family === "random" && level.randomness !== "different") return [sameForAll(call, level)];
  return [applyBatched(call, level)];
}

function sameForAll(call: Call, level: Level): Tensor {
  const { row, inputs, params } = call;
  if (level.randomness === "error")
    fail("ERR_ARGUMENT", row.name, "random numbers inside vmap", 'the option randomness: "different" or "same"');
  if (inputs.some((x) => belongsTo(x, level))) return composed(call, batchOf(row)!);
  return as(level.outer, () => row.replay(inputs, params));
}

const broadcasts: Batch = { broadcast: true };
const elementwise = new Set(["unary", "binary", "ternary", "compare"]);
const batchOf = (row: Row): Batch | undefined =>
  row.batch ?? (elementwise.has(row.family) || row.rule.kind === "bilinear" ? broadcasts : undefined);

/** How an op was run on a batch. */
export type Way = "broadcast" | "batch axis first" | "more rows" | "folded" | "composed" | "one by one";
const taken = new Map<string, Set<Way>>();
/** @internal How vmap has run each op since the last call of this function. */
export function vmapWays(): ReadonlyMap<string, ReadonlySet<Way>> {
  const ways = new Map(taken);
  taken.clear();
  return ways;
}

function note({ row }: Call, way: Way): void {
  const known = taken.get(row.name);
  if (known === undefined) taken.set(row.name, new Set([way]));
  else known.add(way);
}

const wayOf = (batch: Batch | undefined): Way => {
  if (batch === undefined) return "one by one";
  if (batch.whole !== undefined) return "folded";
  return batch.broadcast ? "broadcast" : batch.rows ? "more rows" : "batch axis first";
};

/** Runs the op on a batch as a composition of other ops. */
function composed(call: Call, batch: Batch): Tensor {
  note(call, "composed");
  return batch.composed!(call.inputs, call.params);
}

/** An op on a batch of the given vmap. */
function applyBatched(call: Call, level: Level): Tensor {
  const { row, inputs, params, scalar } = call;
  const { shape, type } = call.results[0]!;
  const batch = batchOf(row);
  const mapped = inputs.map((x) => belongsTo(x, level));
  const fits =
    batch !== undefined &&
    !batch.shared?.some((place) => mapped[place]) &&
    (batch.composed === undefined || batch.params !== undefined);
  if (!fits && batch?.composed !== undefined) return composed(call, batch);
  note(call, wayOf(fits ? batch : undefined));
  const given = inputs.map((x, i) => (mapped[i] ? (x as Batched).value : x));
  const all = as(level.outer, () =>
    fits ? once(batch, call, given, mapped, level.size) : slices(call, given, mapped, level.size),
  );
  const out = new Batched(all, level);
  const needs = mode.grad && type.kind === "float" && row.rule.kind !== "none" ? tracked(inputs) : 0;
  if (needs === 0) return out;
  const node = new OpNode(row, inputs, params, shape, type, scalar);
  const saves = savesOf(row, needs);
  node.pin([
    saves & 1 ? out : null,
    ...inputs.map((x, i) => (typeof x === "number" || (i < 30 && saves & (2 << i)) ? x : null)),
  ]);
  return out.linked(node);
}

function once(
  batch: Batch,
  { row, params, results }: Call,
  given: readonly Operand[],
  mapped: readonly boolean[],
  batchSize: number,
): Tensor {
  const { shape, type } = results[0]!;
  if (batch.whole !== undefined)
    return batchSize === 0 ? none(shape, type) : batch.whole({ inputs: given, mapped, batchSize, params, shape });
  const p = batch.params?.(params, batchSize) ?? params;
  if (batch.broadcast === true)
    return row.replay(
      given.map((x, i) => (mapped[i] ? padded(x as Tensor, shape.length) : x)),
      p,
    );
  const spread = given.map((x, i) =>
    mapped[i] || typeof x === "number" || batch.shared?.includes(i) ? x : x.expand([batchSize, ...x.shape]),
  );
  if (batch.rows !== true) return row.replay(spread, p);
  const joined = spread.map((x, i) =>
    typeof x === "number" || batch.shared?.includes(i) ? x : x.flatten(0, 1).contiguous(),
  );
  return row.replay(joined, p).reshape([batchSize, ...shape]);
}

/** The result of an empty batch. */
const none = (shape: Shape, type: DTypeRow): Tensor => zeros([0, ...shape], { dtype: type.name });

/** Inserts dimensions of size 1 behind the batch axis, so that the others broadcast from the last one. */
function padded(x: Tensor, rank: number): Tensor {
  const missing = rank - (x.ndim - 1);
  if (missing <= 0) return x;
  const [batchSize, ...rest] = x.shape;
  return x.reshape([batchSize!, ...new Array<number>(missing).fill(1), ...rest]);
}

/** The fallback for ops without a batching rule: one example after the other. */
function slices(
  { row, params, results }: Call,
  given: readonly Operand[],
  mapped: readonly boolean[],
  batchSize: number,
): Tensor {
  const { shape, type } = results[0]!;
  if (batchSize === 0) return none(shape, type);
  const example = (k: number) =>
    row.replay(
      given.map((x, i) => (mapped[i] ? (x as Tensor).narrow(0, k, 1).squeeze(0) : x)),
      params,
    );
  return stack(Array.from({ length: batchSize }, (_, k) => example(k)));
}
