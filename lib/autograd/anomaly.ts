/** detectAnomaly: finds the op that first makes a NaN or an infinity. */
import { needFunction, synchronous } from "../core/arguments.js";
import { fail, isOwn, setStackLimit } from "../core/errors.js";
import { numel, type Shape, showShape } from "../core/shape.js";
import { Batched } from "../engine/batched.js";
import type { Call } from "../engine/call.js";
import { intercepting, mode, type NoPromise, withGrad } from "../engine/modes.js";
import type { Operand } from "../engine/row.js";
import type { OpNode } from "../engine/tape.js";
import type { Tensor } from "../tensor/tensor.js";

/** Where the forward call of each node was made. */
const calls = new WeakMap<object, string>();
let watching = false;
/** Above 0 while derivative rules run: their ops were not called by the user. */
let quiet = 0;

function quietly<T>(f: () => T): T {
  quiet++;
  try {
    return f();
  } finally {
    quiet--;
  }
}

function stackHere(): string {
  const error = new Error();
  const [, ...lines] = error.stack!.split("\n");
  return lines.filter((line) => !isOwn(line)).join("\n");
}

/** Runs a check itself unrecorded and unchecked. */
const unseen = <T>(f: () => T): T => intercepting(null, () => withGrad(false, f));

type Fault = "NaN" | "infinity";

/** The fault of a value, NaN before infinity; null where it has none. */
function faultOf(value: Operand): Fault | null {
  if (typeof value === "number") return Number.isNaN(value) ? "NaN" : Number.isFinite(value) ? null : "infinity";
  if (value instanceof Batched) return faultOf(value.value);
  if (value.type.kind !== "float") return null;
  return unseen(() => {
    if (value.isfinite().all().item() === 1) return null;
    return value.isnan().any().item() === 1 ? "NaN" : "infinity";
  });
}

const fewElements = 8;
const show = (dtype: string, shape: Shape, value: Operand | null): string => {
  if (typeof value === "number") return String(value);
  const type = `${dtype}${showShape(shape)}`;
  if (value === null || value instanceof Batched || numel(shape) > fewElements) return type;
  return `${type} [${Array.from(value.toTypedArray(), String).join(", ")}]`;
};
const shown = (inputs: readonly Operand[]): string[] =>
  inputs.map((x) => (typeof x === "number" ? String(x) : show(x.dtype, x.shape, x)));

/** Whether an input already had the fault. */
const inherited = (fault: Fault, before: readonly (Fault | null)[]): boolean =>
  before.includes("NaN") || (fault === "infinity" && before.includes("infinity"));

/** Runs a call and checks its results. */
function checked(call: Call, run: () => readonly Tensor[]): readonly Tensor[] {
  const { row, inputs, targets } = call;
  const read = [...targets, ...inputs];
  // An in-place op overwrites its inputs, so they are checked before.
  const before = targets.length === 0 ? null : { faults: read.map(faultOf), given: shown(inputs) };
  const results = run();
  for (const result of results) {
    const fault = faultOf(result);
    if (fault === null || inherited(fault, before?.faults ?? read.map(faultOf))) continue;
    const given = before?.given ?? shown(inputs);
    const got = `inputs ${given.join(" and ")}`;
    fail("ERR_GRADIENT", row.name, `the first ${fault} is in this result`, "finite numbers", got, { inputs: given });
  }
  return results;
}

/** @internal Runs a node's rule, and reports a fault in its result if the incoming gradient had none. */
export function watched(node: OpNode, g: Tensor, rule: () => readonly (Tensor | null)[]): readonly (Tensor | null)[] {
  if (!watching) return rule();
  const gradients = quietly(rule);
  if (faultOf(g) !== null) return gradients;
  gradients.forEach((gradient, i) => {
    const fault = gradient === null ? null : faultOf(gradient);
    if (fault !== null) refuseGradient(node, fault, i);
  });
  return gradients;
}

/** @internal The same for a rule that adds the gradient of input `i` to `sum` in place, and returns whether it did. */
export function watchedSum(node: OpNode, g: Tensor, i: number, sum: Tensor, add: () => boolean): boolean {
  if (!watching) return add();
  const sound = faultOf(sum) === null && faultOf(g) === null;
  const added = quietly(add);
  const fault = sound && added ? faultOf(sum) : null;
  if (fault !== null) refuseGradient(node, fault, i);
  return added;
}

function refuseGradient(node: OpNode, fault: Fault, i: number): never {
  const given = node.inputShapes.map((shape, k) => {
    const saved = node.saved?.[k + 1] ?? null;
    const value = typeof saved === "number" || saved === null ? saved : saved.borrow(null);
    return show(node.inputTypes[k]!.name, shape, value);
  });
  const forward = calls.get(node) ?? null;
  const where = forward === null ? "made outside of detectAnomaly" : `made\n${forward}\nand differentiated`;
  return fail(
    "ERR_GRADIENT",
    node.row.name,
    `the first ${fault} is in the gradient by input ${i}; the call was ${where}`,
    "finite numbers",
    `inputs ${given.join(" and ")}`,
    { inputs: given, forward },
  );
}

/** Enough frames to reach the user's code behind the engine's. */
const deepStack = 100;

/**
 * Runs a synchronous function and throws at the first NaN or infinity in a result or a gradient. The error names the op
 * and describes its inputs; for a gradient, `details.forward` and the message hold the stack of the forward call. Only
 * an op that makes a NaN or infinity from inputs without one counts, so intended infinities (a mask of -Infinity) are
 * allowed. Every result is checked, so this is slow.
 * @throws ERR_GRADIENT at the first NaN or infinity; ERR_ARGUMENT if the function returns a promise.
 * @example detectAnomaly(() => tensor([4]).sqrt().item()); // 2
 */
export function detectAnomaly<T>(f: () => NoPromise<T>): T {
  needFunction("detectAnomaly", f);
  const around = mode.intercept;
  const before = { watching, limit: Error.stackTraceLimit };
  const intercept = (call: Call): readonly Tensor[] => {
    const run = () => (around === null ? call.run() : around(call));
    const results = quiet === 0 && call.row.kernel !== null ? checked(call, run) : run();
    if (call.targets.length === 0) for (const { node } of results) if (node !== null) calls.set(node, stackHere());
    return results;
  };
  watching = true;
  setStackLimit(Math.max(before.limit, deepStack));
  try {
    return intercepting(intercept, () => synchronous("detectAnomaly", f() as T));
  } finally {
    watching = before.watching;
    setStackLimit(before.limit);
  }
}
