/** Tensors on new storages that a native call fills. */
import type { DTypeRow } from "../core/dtype.js";
import type { Shape } from "../core/shape.js";
import * as frame from "../native/frame.js";
import { Handle, mayRetry, raise } from "./handle.js";
import { reclaim } from "./memory.js";
import { Tensor } from "./tensor.js";

/** A contiguous tensor on a storage that a native call allocates and fills; `call` writes the frame and runs it. */
function made(op: string, type: DTypeRow, shape: Shape, call: (handle: Handle) => void): Tensor {
  if (frame.underPressure()) reclaim();
  let handle = new Handle();
  call(handle);
  for (let i = 0; mayRetry(i); i++) {
    handle = new Handle();
    call(handle);
  }
  if (frame.failed()) raise(op);
  handle.take(0);
  return new Tensor(handle, type, shape, null, 0, null);
}

/** Copies a typed array of the dtype's own kind into a new storage; for half precision, bits or floats. */
export const fromTyped = (op: string, source: ArrayBufferView, type: DTypeRow, shape: Shape): Tensor =>
  made(op, type, shape, (handle) => {
    frame.begin(0, 0, 1, []);
    frame.putFresh(0, type.code, shape, 0);
    frame.door.create(handle, source);
  });

const identity = frame.opcode("identity");

/** Fills with one number. */
export const filled = (op: string, value: number | bigint, type: DTypeRow, shape: Shape): Tensor =>
  made(op, type, shape, (handle) => {
    frame.begin(identity, 1, 1, type.attrs);
    frame.putFresh(0, type.code, shape, 0);
    frame.putScalar(1, type.code, value);
    frame.door.execute(handle);
  });

const emptyCode = frame.opcode("empty");

/** A tensor whose elements the caller is about to write. */
export const empty = (op: string, type: DTypeRow, shape: Shape): Tensor =>
  made(op, type, shape, (handle) => {
    frame.begin(emptyCode, 1, 0, []);
    frame.putFresh(0, type.code, shape, 0);
    frame.door.execute(handle);
  });

const arangeCode = frame.opcode("arange");

/** The numbers start + i * step. */
export const progression = (op: string, start: number, step: number, length: number, type: DTypeRow): Tensor =>
  made(op, type, [length], (handle) => {
    frame.begin(arangeCode, 1, 0, [start, step]);
    frame.putFresh(0, type.code, [length], 0);
    frame.door.execute(handle);
  });

/**
 * The elements at a position of a file, mapped into memory: they are read when first used, and writes stay in this
 * process. Null where the system cannot map them.
 */
export function mapped(op: string, file: number, position: number, type: DTypeRow, shape: Shape): Tensor | null {
  const handle = new Handle();
  frame.begin(0, 0, 1, []);
  frame.putFresh(0, type.code, shape, 0);
  const done = frame.door.map(handle, file, position);
  if (frame.failed()) raise(op);
  if (!done) return null;
  handle.take(0);
  return new Tensor(handle, type, shape, null, 0, null);
}
