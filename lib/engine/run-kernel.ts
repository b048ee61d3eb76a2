/** Kernels with several results, and kernels that write to existing tensors: nothing of them is recorded. */
import { fail } from "../core/errors.js";
import * as frame from "../native/frame.js";
import { Handle, mayRetry, raise } from "../tensor/handle.js";
import { reclaim } from "../tensor/memory.js";
import { Tensor } from "../tensor/tensor.js";
import { inCompute } from "./apply.js";
import type { KernelCall } from "./call.js";
import { castRow } from "./cast.js";
import { intercepted } from "./intercept.js";
import { mode, withGrad } from "./modes.js";
import { changedSince } from "./refused.js";

const none: readonly never[] = [];

/**
 * Runs a kernel and returns its results, or its targets, whose versions increase. No input is batched. Half-precision
 * targets are written by way of float32 copies, unless the kernel takes them (its attributes are their dtype's).
 */
export function runKernel<P>(call: KernelCall<P>): readonly Tensor[] {
  const { inputs, targets = none, results = targets, attrs } = call;
  for (let i = 0; i < targets.length; i++)
    if (targets[i]!.type.half && attrs !== targets[i]!.type.attrs) return onCopies(call, targets);
  if (targets.length + inputs.length > frame.mostTensors) return byParts(call, targets);
  if (mode.intercept !== null) return intercepted(call, results[0]!.type, () => execute(call));
  return execute(call);
}

function execute<P>({ row, inputs, attrs, targets = none, results = targets, op = row.name }: KernelCall<P>) {
  if (frame.underPressure()) reclaim();
  const outs = results.length;
  let fresh = targets.length === 0 ? results.map(() => new Handle()) : none;
  frame.begin(row.opcode, outs, inputs.length, attrs);
  for (let i = 0; i < outs; i++) {
    const { type, shape } = results[i]!;
    const x = targets[i];
    if (x === undefined) frame.putFresh(i, type.code, shape, 0);
    else frame.putOperand(i, x.handle, type.code, shape, x.layout, x.offset, frame.WRITE);
  }
  const { type } = results[0]!;
  const scalar = row.opcode === castRow.opcode ? type : type.compute;
  for (let i = 0; i < inputs.length; i++) {
    const x = inputs[i]!;
    if (typeof x === "number") frame.putScalar(outs + i, scalar.code, x);
    else frame.putOperand(outs + i, x.handle, x.type.code, x.shape, x.layout, x.offset, 0);
  }
  runFrame(fresh);
  for (let i = 0; mayRetry(i); i++) {
    fresh = fresh.map(() => new Handle());
    runFrame(fresh);
  }
  if (frame.failed()) raise(op, changedSince);
  if (fresh.length === 0) return targets;
  return fresh.map((handle, i) => {
    handle.take(i);
    return new Tensor(handle, results[i]!.type, results[i]!.shape, null, 0, null);
  });
}

function runFrame(fresh: readonly Handle[]): void {
  if (fresh.length > 0) frame.door.execute(...fresh);
  else frame.door.run();
}

/**
 * Splits a call with more tensors than a frame holds. Kernels with many targets treat each entry independently, so the
 * bits are the same: entry i of n has targets i, n + i, 2n + i, ... and inputs.length / n consecutive inputs.
 */
function byParts<P>(call: KernelCall<P>, targets: readonly Tensor[]): readonly Tensor[] {
  const { inputs, op = call.row.name } = call;
  const count = targets.length + inputs.length;
  for (const x of [...targets, ...inputs])
    if (typeof x !== "number" && x.handle.slot < 0) fail("ERR_DISPOSED", op, "the tensor has been disposed of");
  const n = Math.min(targets.length, inputs.length);
  if (n <= 1) fail("ERR_ARGUMENT", op, "too many tensors", `at most ${frame.mostTensors}`, `${count}`);
  const perEntry = inputs.length / n;
  const size = Math.max(1, Math.floor((frame.mostTensors * n) / count));
  for (let start = 0; start < n; start += size) {
    const end = Math.min(start + size, n);
    const part: Tensor[] = [];
    for (let from = 0; from < targets.length; from += n) part.push(...targets.slice(from + start, from + end));
    runKernel({ ...call, targets: part, inputs: inputs.slice(start * perEntry, end * perEntry) });
  }
  return targets;
}

/** For half-precision targets: runs on float32 copies, and converts them back. */
function onCopies<P>(call: KernelCall<P>, targets: readonly Tensor[]): readonly Tensor[] {
  withGrad(false, () => {
    const copies = targets.map((x) => inCompute(x) as Tensor);
    runKernel({ ...call, targets: copies, inputs: call.inputs.map(inCompute) });
    copies.forEach((copy, i) => {
      const x = targets[i]!;
      if (copy !== x) writeTo(x, copy, call.op ?? call.row.name);
    });
  });
  return targets;
}

/** Writes a tensor, which broadcasts, or a number into a tensor, in its dtype. */
export function writeTo(x: Tensor, source: Tensor | number, op: string): void {
  const { attrs, name } = x.type;
  runKernel({ op, row: castRow, targets: [x], inputs: [source], attrs, params: name });
}
