/** detectAnomaly: finds the op that first makes a NaN or an infinity. */
import { fail, isOwn, setStackLimit } from "../core/errors.js";
import { needFunction } from "../core/options.js";
import { numel, type Shape, showShape } from "../core/shape.js";
import { Batched } from "../engine/batched.js";
import type { Call } from "../engine/call.js";
import { intercepting, mode, type NoPromise, synchronous, withGrad } from "../engine/modes.js";
import type { Operand } from "../engine/row.js";
import type { OpNode } from "../engine/tape.js";
import type { Tensor } from "../tensor/tensor.js";

/** Where the forward call of each node was made. */
const calls = new WeakMap<object, string>();
let watching = false;
/** Above 0 while rules run, whose ops are not the user's, and while results are looked at. */
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

type Fault = "NaN" | "infinity";

/** What is wrong with a value; an infinity counts for less than a NaN. */
function faultOf(value: Operand): Fault | null {
  if (typeof value === "number") return Number.isNaN(value) ? "NaN" : Number.isFinite(value) ? null : "infinity";
  if (value instanceof Batched) return faultOf(value.value);
  if (value.type.kind !== "float") return null;
  return quietly(() =>
    withGrad(false, () => {
      if (value.isfinite().all().item() === 1) return null;
      return value.isnan().any().item() === 1 ? "NaN" : "infinity";
    }),
  );
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

function check({ row, inputs }: Call, out: Tensor): void {
  const fault = faultOf(out);
  if (fault === null) return;
  const before = inputs.map(faultOf);
  if (before.includes("NaN") || (fault === "infinity" && before.includes("infinity"))) return;
  const given = shown(inputs);
  fail(
    "ERR_GRADIENT",
    row.name,
    `the first ${fault} is in this result`,
    "finite numbers",
    `inputs ${given.join(" and ")}`,
    {
      inputs: given,
    },
  );
}

/** @internal Runs a node's rule; an anomaly that it makes of a sound gradient is the node's. */
export function watched(node: OpNode, g: Tensor, rule: () => readonly (Tensor | null)[]): readonly (Tensor | null)[] {
  if (!watching) return rule();
  const gradients = quietly(rule);
  if (faultOf(g) !== null) return gradients;
  gradients.forEach((gradient, i) => {
    const fault = gradient === null ? null : faultOf(gradient);
    if (fault === null) return;
    const given = node.inputShapes.map((shape, k) => {
      const saved = node.saved?.[k + 1] ?? null;
      return show(
        node.inputTypes[k]!.name,
        shape,
        typeof saved === "number" || saved === null ? saved : saved.borrow(null),
      );
    });
    const forward = calls.get(node) ?? null;
    const where = forward === null ? "made outside of detectAnomaly" : `made\n${forward}\nand differentiated`;
    fail(
      "ERR_GRADIENT",
      node.row.name,
      `the first ${fault} is in the gradient by input ${i}; the call was ${where}`,
      "finite numbers",
      `inputs ${given.join(" and ")}`,
      { inputs: given, forward },
    );
  });
  return gradients;
}

/** Deep enough that the user's own lines are among those of the engine. */
const deepStack = 100;

/**
 * Runs a synchronous function and stops at the first NaN or infinity, in a result or in a gradient, with an error that
 * names the op and its inputs; where it is in a gradient, `details.forward` and the message have the stack of the call
 * that is being differentiated. What is infinite by intent (a mask of -Infinity) is no anomaly: only an op that makes a
 * NaN of none, or an infinity of finite inputs, is. Every result is looked at, so this is slow.
 * @throws ERR_GRADIENT at the first anomaly; ERR_ARGUMENT when the function returns a promise.
 * @example detectAnomaly(() => tensor([4]).sqrt().item()); // 2
 */
export function detectAnomaly<T>(f: () => NoPromise<T>): T {
  needFunction("detectAnomaly", f);
  const around = mode.intercept;
  const before = { watching, limit: Error.stackTraceLimit };
  const intercept = (call: Call): Tensor => {
    const out = around === null ? call.run() : around(call);
    if (out.node !== null) calls.set(out.node, stackHere());
    if (quiet === 0 && call.row.kernel !== null) check(call, out);
    return out;
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
