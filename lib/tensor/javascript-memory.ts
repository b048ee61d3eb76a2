/** Memory allocated by JavaScript: typed arrays count against nabla's limit, nested arrays must fit V8's heap. */
import { getHeapStatistics } from "node:v8";
import { fail } from "../core/errors.js";
import { collector } from "../native/collector.js";
import { addon } from "../native/frame.js";
import { outOfMemory } from "./handle.js";
import { reclaimUntil } from "./memory.js";

const counted = 2 ** 20;

/** Counts memory against the limit while `object` lives; ERR_MEMORY if it does not fit. */
export function claim(op: string, object: object, bytes: number): void {
  const fits = (): boolean => addon.claim(object, bytes);
  if (bytes >= counted && !fits() && !reclaimUntil(fits)) outOfMemory(op);
}

/** ERR_MEMORY if allocating `bytes` more would exceed the limit; called before the first of many allocations. */
export function needRoom(op: string, bytes: number): void {
  const fits = (): boolean => {
    const { liveBytes, limitBytes } = addon.stats();
    return liveBytes + bytes <= limitBytes;
  };
  if (!fits() && !reclaimUntil(fits)) outOfMemory(op);
}

/** A new typed array; one of at least 1 MB counts against the limit. */
export function typedArray<A extends ArrayBufferView>(op: string, kind: new (length: number) => A, length: number): A {
  let array: A;
  try {
    array = new kind(length); // uses no memory until it is written, after it is counted
  } catch {
    return outOfMemory(op);
  }
  if (array.byteLength >= counted) claim(op, array.buffer, array.byteLength);
  return array;
}

/** The integers f(0), f(1), …; they count against the limit as other typed arrays do. */
export function int32s(op: string, length: number, f: (i: number) => number): Int32Array<ArrayBuffer> {
  const array = typedArray<Int32Array<ArrayBuffer>>(op, Int32Array, length);
  for (let i = 0; i < length; i++) array[i] = f(i);
  return array;
}

const perArray = 48;
const perElement = 8; // of an array that V8 stores contiguously
const longestRow = 100_000_000; // V8 stores no array of more than 2^27 elements contiguously
const young = 64 * 2 ** 20; // the part of the heap limit that large arrays cannot use

/** ERR_MEMORY if V8's heap has no room for nested arrays of that shape. */
export function needHeapForArrays(op: string, shape: readonly number[]): void {
  let arrays = 1;
  let bytes = 0;
  for (const size of shape) {
    bytes += arrays * (perArray + size * perElement);
    arrays *= size;
  }
  const last = shape.at(-1) ?? 0;
  bytes += last * perElement; // a growing row may be copied once
  needHeap(op, "the arrays", bytes, "use toTypedArray()", last <= longestRow);
}

const perTensor = { view: 160, recorded: 1000, parameter: 600 }; // with all that belongs to it

/** ERR_MEMORY if V8's heap has no room for so many tensors. */
export const needHeapForTensors = (op: string, count: number, kind: keyof typeof perTensor): void =>
  needHeap(op, `${count} tensors`, count * perTensor[kind], "ask for fewer");

const perText = 100; // with its place in a map

/** ERR_MEMORY if V8's heap has no room for as many texts again, of together `length` characters. */
export const needHeapForTexts = (op: string, count: number, length: number): void =>
  needHeap(op, `${count} texts`, count * perText + 2 * length, "read fewer");

/** ERR_MEMORY if V8's heap has no room for so many bytes: running out of heap would end the process. */
function needHeap(op: string, what: string, bytes: number, remedy: string, possible = true): void {
  if (bytes < counted) return;
  const left = (): number => {
    const { heap_size_limit, used_heap_size } = getHeapStatistics();
    return 0.85 * (heap_size_limit - used_heap_size) - young;
  };
  if (possible && bytes <= left()) return;
  collector()?.major();
  if (possible && bytes <= left()) return;
  const megabytes = (n: number): string => `${Math.max(n / 1e6, 0).toFixed(0)} MB`;
  const way = `${remedy}, or start Node with a larger --max-old-space-size`;
  fail(
    "ERR_MEMORY",
    op,
    `${what} take about ${megabytes(bytes)} of V8's heap, which has ${megabytes(left())} left; ${way}`,
  );
}
