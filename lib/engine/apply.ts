import type { DTypeRow } from "../core/dtype.js";
import { named } from "../core/errors.js";
import { numel, type Shape } from "../core/shape.js";
import * as frame from "../native/frame.js";
import { Handle, mayRetry, nextBlock } from "../tensor/handle.js";
import { reclaim } from "../tensor/memory.js";
import { Tensor } from "../tensor/tensor.js";
import { isBatched } from "./batched.js";
import { castRow } from "./cast.js";
import { readsHalf, takesHalves } from "./half.js";
import { intercepted } from "./intercept.js";
import { mode } from "./modes.js";
import { refused } from "./refused.js";
import { type Operand, type Row, savesOf } from "./row.js";
import { OpNode, tracked } from "./tape.js";

/**
 * The path of every op that computes: writes the call into the frame, runs it, and records it if gradients are enabled.
 * The caller has checked dtypes and inferred the result's dtype and shape.
 *
 * `scalar` is the dtype of number operands. `residual` is the shape of the residual output: a second result that only
 * the derivative reads, made only if the call is recorded. It has the dtype that the kernel computes in.
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
  if ((type.half || scalar.half) && !takesHalves(row, inputs, scalar, attrs))
    return applyFloat32Fallback(row, inputs, scalar, type, shape, attrs, params, residual);
  if (frame.underPressure()) reclaim();
  const n = inputs.length;
  let node: OpNode | null = null;
  let saves = 0;
  let constants = 0;
  if (mode.grad) {
    const needs = tracked(inputs);
    if (needs !== 0 && type.kind === "float" && row.rule.kind !== "none") {
      node = new OpNode(row, inputs, params, shape, type, scalar);
      constants = OpNode.constantPlaces(inputs, row.constants);
      saves = savesOf(row, needs) | constants;
    }
  }
  let pinned = (saves & 1) !== 0;
  const handle = new Handle();
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
    frame.putFresh(1, type.compute.code, residual!, frame.SAVE);
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
  if (frame.failed()) return again(row, inputs, scalar, type, shape, attrs, params, residual);
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

/** How often the call that failed last has been made again. */
let attempts = 0;

/**
 * Makes a call again that found no memory, once some has been reclaimed; throws for any other failure. Apart from
 * `apply`, so that V8 has room to inline there what every call needs.
 */
const again: typeof apply = (row, inputs, scalar, type, shape, attrs, params, residual) => {
  if (!mayRetry(attempts)) refused(row, inputs, params);
  attempts++;
  try {
    return apply(row, inputs, scalar, type, shape, attrs, params, residual);
  } finally {
    attempts--;
  }
};

const applyIntercepted: typeof apply = (row, inputs, scalar, type, shape, attrs, params, residual) => {
  const halves =
    type.half || scalar.half || (isBatched(inputs) && inputs.some((x) => typeof x !== "number" && x.type.half));
  if (halves && !takesHalves(row, inputs, scalar, attrs))
    return named(row.name, () => applyFloat32Fallback(row, inputs, scalar, type, shape, attrs, params, residual));
  const run = () => [apply(row, inputs, scalar, type, shape, attrs, params, residual)];
  return intercepted({ row, inputs, attrs, params, results: [{ type, shape }] }, scalar, run)[0]!;
};

/** Converts a tensor to a dtype; returns it if it has that dtype already. */
export const cast = (x: Tensor, type: DTypeRow): Tensor =>
  x.type === type ? x : apply(castRow, [x], type, type, x.shape, type.attrs, type.name);

/** An operand in the dtype that half precision computes in. */
export const inCompute = (x: Operand): Operand => (typeof x !== "number" && x.type.half ? cast(x, x.type.compute) : x);

/**
 * An op on half-precision inputs: converts them to float32, and rounds the result once, unless the op is part of
 * another that rounds. The conversions are recorded, so a rule sees float32 and gradients return in the dtype of the
 * inputs.
 */
const applyFloat32Fallback: typeof apply = (row, inputs, scalar, type, shape, attrs, params, residual) => {
  const elementwise = attrs === scalar.attrs;
  const list = elementwise ? scalar.compute.attrs : attrs;
  const converted = inputs.map((x, i) => (readsHalf(row, inputs, i, elementwise) ? x : inCompute(x)));
  const y = apply(row, converted, scalar.compute, type.compute, shape, list, params, residual);
  return mode.keepFloat32 ? y : cast(y, type);
};

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
