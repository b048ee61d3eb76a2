import type { DTypeRow } from "../core/dtype.js";
import { fail, named } from "../core/errors.js";
import { numel, type Shape } from "../core/shape.js";
import * as frame from "../native/frame.js";
import { Handle, mayRetry, nextBlock, raise } from "../tensor/handle.js";
import { reclaim } from "../tensor/memory.js";
import { Tensor } from "../tensor/tensor.js";
import { isBatched } from "./batched.js";
import { castRow } from "./cast.js";
import { intercepted } from "./intercept.js";
import { mode } from "./modes.js";
import { type Operand, type Row, savesOf } from "./row.js";
import { OpNode } from "./tape.js";

const noAttrs: readonly number[] = [];

/** Which inputs a gradient can reach, as a bit mask (the first 30 count one by one). */
export function tracked(inputs: readonly Operand[]): number {
  let needs = 0;
  for (let i = 0; i < inputs.length; i++) {
    const x = inputs[i]!;
    if (typeof x !== "number" && x.node !== null) needs |= 1 << Math.min(i, 30);
  }
  return needs;
}

/**
 * The path of every op that computes: writes the call into the frame, runs it, and records it if gradients are enabled.
 * The caller has checked dtypes and inferred the result's dtype and shape.
 *
 * `scalar` is the dtype of number operands. `residual` is the shape of the residual output: a second result that only
 * the derivative reads, made only if the call is recorded.
 */
export function apply<P>(
  row: Row<P>,
  inputs: readonly Operand[],
  scalar: DTypeRow,
  type: DTypeRow,
  shape: Shape,
  attrs: readonly number[],
  params: P,
  residual: Shape | null = null,
): Tensor {
  if (mode.intercept !== null) return applyIntercepted(row, inputs, scalar, type, shape, attrs, params, residual);
  if ((type.half || scalar.half) && !takesHalves(row as unknown as Row, inputs, scalar, attrs))
    return applyFloat32Fallback(row, inputs, scalar, type, shape, attrs, params, residual);
  if (frame.underPressure()) reclaim();
  const n = inputs.length;
  let node: OpNode | null = null;
  let saves = 0;
  let constants = 0;
  if (mode.grad) {
    const needs = tracked(inputs);
    if (needs !== 0 && type.kind === "float" && row.rule.kind !== "none") {
      node = new OpNode(row as unknown as Row, inputs, params as never, shape, type, scalar);
      constants = OpNode.constantPlaces(inputs, row.constants);
      saves = savesOf(row as unknown as Row, needs) | constants;
    }
  }
  let pinned = (saves & 1) !== 0;
  let handle = new Handle();
  const small = numel(shape) * type.size <= frame.blockBytes;
  const second = node !== null && residual !== null ? new Handle() : null;
  const outs = second === null ? 1 : 2;
  frame.begin(row.opcode, outs, n, attrs);
  if (small) {
    handle.block = nextBlock(row.name);
    frame.putFreshInBlock(0, type.code, shape, pinned ? frame.SAVE : 0, handle.block.id);
  } else {
    frame.putFresh(0, type.code, shape, pinned ? frame.SAVE : 0);
  }
  if (second !== null) {
    frame.putFresh(1, type.code, residual!, frame.SAVE);
    pinned = true;
  }
  for (let i = 0; i < n; i++) {
    const x = inputs[i]!;
    if (typeof x === "number") frame.putScalar(i + outs, scalar.compute.code, x);
    else {
      const save = i < 30 && (saves & (2 << i)) !== 0;
      if (save) pinned = true;
      frame.putOperand(i + outs, x.handle, x.type.code, x.shape, x.layout, x.offset, save ? frame.SAVE : 0);
    }
  }
  if (pinned) frame.withNode();
  execute(small ? null : handle, second, pinned ? node : null);
  for (let i = 0; mayRetry(i); i++) {
    if (!small) handle = new Handle();
    if (node !== null) node = new OpNode(row as unknown as Row, inputs, params as never, shape, type, scalar);
    execute(small ? null : handle, second, pinned ? node : null);
  }
  if (frame.failed()) refused(row as unknown as Row, inputs, params as never);
  handle.take(0);
  if (node !== null) {
    if (saves !== 0 || n > 1 || second !== null) node.keep(inputs, saves, constants, pinned, second && residual);
    if (second !== null) {
      second.take(1);
      second.release();
    }
  }
  return new Tensor(handle, type, shape, null, 0, node);
}

function applyIntercepted<P>(
  row: Row<P>,
  inputs: readonly Operand[],
  scalar: DTypeRow,
  type: DTypeRow,
  shape: Shape,
  attrs: readonly number[],
  params: P,
  residual: Shape | null,
): Tensor {
  const halves =
    type.half || scalar.half || (isBatched(inputs) && inputs.some((x) => typeof x !== "number" && x.type.half));
  if (halves && !takesHalves(row as unknown as Row, inputs, scalar, attrs))
    return named(row.name, () => applyFloat32Fallback(row, inputs, scalar, type, shape, attrs, params, residual));
  const run = () => [apply(row, inputs, scalar, type, shape, attrs, params, residual)];
  return intercepted({ row, inputs, attrs, params, results: [{ type, shape }] }, scalar, run)[0]!;
}

/** Converts a tensor to a dtype; returns it if it has that dtype already. */
export const cast = (x: Tensor, type: DTypeRow): Tensor =>
  x.type === type ? x : apply(castRow, [x], type, type, x.shape, type.attrs, type.name);

/**
 * Whether the kernel takes half-precision inputs as they are: kernels that only move elements, and elementwise ones
 * (tile by tile), except where a derivative rule or vmap needs float32.
 */
const takesHalves = (row: Row, inputs: readonly Operand[], scalar: DTypeRow, attrs: readonly number[]): boolean =>
  row.moves === true ||
  (!mode.keepFloat32 && attrs === scalar.attrs && !(mode.grad && tracked(inputs) !== 0) && !isBatched(inputs));

/**
 * Whether the kernel converts half-precision input i to float32 while it reads it, without a copy. Not where a
 * derivative rule needs a float32 tensor.
 */
export function readsHalf(row: Row, inputs: readonly Operand[], i: number, elementwise = false): boolean {
  const x = inputs[i]!;
  if (typeof x === "number" || !x.type.half || isBatched(inputs)) return false;
  if (!elementwise && row.reads?.[x.type.name]?.includes(i) !== true) return false;
  const needs = mode.grad ? tracked(inputs) : 0;
  if (needs === 0) return true;
  // Gradients of these kinds of rules are converted to the input's dtype.
  const { kind } = row.rule;
  return (kind === "elementwise" || kind === "linear") && (savesOf(row, needs) & (2 << i)) === 0;
}

/** An operand in the dtype that half precision computes in. */
export const inCompute = (x: Operand): Operand => (typeof x !== "number" && x.type.half ? cast(x, x.type.compute) : x);

/**
 * An op on half-precision inputs: converts them to float32, and rounds the result once, unless the op is part of
 * another that rounds. The conversions are recorded, so a rule sees float32 and gradients return in the dtype of the
 * inputs.
 */
function applyFloat32Fallback<P>(
  row: Row<P>,
  inputs: readonly Operand[],
  scalar: DTypeRow,
  type: DTypeRow,
  shape: Shape,
  attrs: readonly number[],
  params: P,
  residual: Shape | null,
): Tensor {
  const elementwise = attrs === scalar.attrs;
  const list = elementwise ? scalar.compute.attrs : attrs;
  const converted = inputs.map((x, i) => (readsHalf(row as unknown as Row, inputs, i, elementwise) ? x : inCompute(x)));
  const y = apply(row, converted, scalar.compute, type.compute, shape, list, params, residual);
  return mode.keepFloat32 ? y : cast(y, type);
}

/** Throws the status of a call. */
function refused(row: Row, inputs: readonly Operand[], params: never): never {
  const status = frame.status();
  const ofValue = valueCodes.has(frame.layout.codes[status.code]!);
  return raise(
    row.name,
    row.family === "linalg" ? refusedMatrix : changedSince,
    ofValue ? row.refuses?.(params, inputs, status) : undefined,
  );
}

/** With these a kernel refuses a value of an operand. */
const valueCodes: ReadonlySet<string> = new Set(["ERR_INDEX", "ERR_ARGUMENT", "ERR_DTYPE"]);

/** Runs the frame. Native code tracks the objects passed: first the handles, then the node. */
function execute(handle: Handle | null, second: Handle | null, node: OpNode | null): void {
  if (second !== null) {
    if (handle === null) frame.door.execute(second, node!);
    else frame.door.execute(handle, second, node!);
  } else if (handle === null) {
    if (node === null) frame.door.run();
    else frame.door.execute(node);
  } else if (node === null) frame.door.execute(handle);
  else frame.door.execute(handle, node);
}

/** The message for a saved value that was overwritten, naming the op that wrote. */
export function changedSince(detail: number): string | undefined {
  if (frame.layout.codes[frame.status().code] !== "ERR_GRADIENT") return undefined;
  const kernel = frame.kernelNames()[detail] ?? "another op";
  return `a value saved for the gradient was changed since by ${kernel === "identity" ? "assign" : kernel}`;
}

/** The message for a matrix without such a decomposition, naming its index in the batch. */
function refusedMatrix(detail: number): string | undefined {
  if (frame.layout.codes[frame.status().code] !== "ERR_ARGUMENT") return changedSince(detail);
  return `${frame.addon.message()} (matrix ${detail} of the batch)`;
}

/** The path of every op that returns a view. */
export function view<P>(
  row: Row<P>,
  x: Tensor,
  shape: Shape,
  layout: readonly number[] | null,
  offset: number,
  params: P,
): Tensor {
  if (mode.intercept !== null) return viewIntercepted(row, x, shape, layout, offset, params);
  const { handle } = x;
  if (handle.slot < 0) fail("ERR_DISPOSED", row.name, "the tensor has been disposed of");
  handle.users++;
  const node =
    mode.grad && x.node !== null
      ? new OpNode(row as unknown as Row, [x], params as never, shape, x.type, x.type)
      : null;
  return new Tensor(handle, x.type, shape, layout, offset, node);
}

function viewIntercepted<P>(
  row: Row<P>,
  x: Tensor,
  shape: Shape,
  layout: readonly number[] | null,
  offset: number,
  params: P,
): Tensor {
  const { type } = x;
  const run = () => [view(row, x, shape, layout, offset, params)];
  return intercepted({ row, inputs: [x], attrs: noAttrs, params, results: [{ type, shape }] }, type, run)[0]!;
}
