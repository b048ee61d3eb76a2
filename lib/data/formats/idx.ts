import { describe, fail } from "../../core/errors.js";
import { readRegular } from "../../core/file.js";
import { bufferConstants, onDemand, types } from "../../core/node.js";
import { type FilePath, pathOf } from "../../core/path.js";
import { claim, typedArray } from "../../tensor/javascript-memory.js";

export type IdxData = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

/** The content of an IDX file: a row-major array. */
export interface IdxArray {
  /** The sizes, outermost first. */
  readonly shape: readonly number[];
  /** The elements in row-major order. */
  readonly data: IdxData;
}

/** The element types of the format, by the third byte of a file. */
const elements = new Map<number, { name: string; array: new (buffer: ArrayBuffer) => IdxData; bytes: 1 | 2 | 4 | 8 }>([
  [0x08, { name: "uint8", array: Uint8Array, bytes: 1 }],
  [0x09, { name: "int8", array: Int8Array, bytes: 1 }],
  [0x0b, { name: "int16", array: Int16Array, bytes: 2 }],
  [0x0c, { name: "int32", array: Int32Array, bytes: 4 }],
  [0x0d, { name: "float32", array: Float32Array, bytes: 4 }],
  [0x0e, { name: "float64", array: Float64Array, bytes: 8 }],
]);

const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/**
 * Decodes the bytes of an IDX file, the format of the MNIST digits. They may be gzipped; all element types are
 * supported.
 * @param source the name of the bytes in error messages.
 * @throws ERR_ARGUMENT unless the bytes are a Uint8Array; ERR_FORMAT if the gzip data is corrupt, the magic number is
 * wrong or the length does not match the header; ERR_MEMORY if the array would exceed the memory limit.
 * @example
 * const { shape, data } = decodeIdx(new Uint8Array([0, 0, 8, 1, 0, 0, 0, 2, 7, 9]));
 * // shape [2], data Uint8Array [7, 9]
 */
export function decodeIdx(bytes: Uint8Array, source = "IDX bytes"): IdxArray {
  if (!types.isUint8Array(bytes))
    fail("ERR_ARGUMENT", "decodeIdx", "the bytes are not valid", "a Uint8Array", describe(bytes));
  if (typeof source !== "string")
    fail("ERR_ARGUMENT", "decodeIdx", "the source is not valid", "a string", describe(source));
  // A subarray of a detached buffer cannot be taken.
  return readIdx("decodeIdx", bytes.length === 0 ? new Uint8Array() : bytes, source);
}

/** @internal The same; errors name the public function `op`. */
export function readIdx(op: string, bytes: Uint8Array, source: string): IdxArray {
  const refuse = (fact: string, expected: string, got: string): never =>
    fail("ERR_FORMAT", op, `${source}: ${fact}`, expected, got, { source });

  const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  // The size that the first bytes announce bounds how much is decompressed.
  const whole = !zipped ? bytes : bytes.length <= lead ? gunzip(bytes, refuse) : undefined;
  const { element, shape, start, size } = readHeader(whole ?? gunzip(bytes.subarray(0, lead), refuse, true), refuse);
  const expected = start + size * element.bytes;
  const layout = `${plural(expected, "byte")} for ${element.name} [${shape.join(", ")}]`;
  const most = whole?.length ?? bytes.length * mostExpansion;
  if (most < expected) refuse("cut off", layout, `${whole === undefined ? "at most " : ""}${plural(most, "byte")}`);
  if (whole === undefined) claim(op, {}, expected);
  const content = whole ?? gunzip(bytes, refuse, false, expected);
  if (content === null || content.length > expected)
    return refuse("has bytes left over", layout, content === null ? "more" : plural(content.length, "byte"));
  if (content.length < expected) refuse("cut off", layout, plural(content.length, "byte"));

  const data = typedArray<Uint8Array<ArrayBuffer>>(op, Uint8Array, size * element.bytes);
  data.set(content.subarray(start));
  if (onDemand.os.endianness() === "LE") swap[element.bytes](Buffer.from(data.buffer));
  return { shape, data: new element.array(data.buffer) };
}

type Refuse = (fact: string, expected: string, got: string) => never;

function readHeader(content: Uint8Array, refuse: Refuse) {
  const magic = content.subarray(0, 4);
  if (magic.length < 4) refuse("too short for a header", "at least 4 bytes", plural(magic.length, "byte"));
  const [zero, alsoZero, code = 0, rank = 0] = magic;
  const element = elements.get(code);
  if (zero !== 0 || alsoZero !== 0 || element === undefined) {
    const known = [...elements.keys()].map((key) => hex(Uint8Array.of(key))).join(", ");
    return refuse("not an IDX file", `a magic number 00 00 TYPE RANK with TYPE one of ${known}`, hex(magic));
  }
  const start = 4 + 4 * rank;
  if (content.length < start) refuse("cut off in its header", plural(start, "byte"), plural(content.length, "byte"));
  const view = new DataView(content.buffer, content.byteOffset, start);
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  return { element, shape, start, size: shape.reduce((product, length) => product * length, 1) };
}

const swap = {
  1: (data: Buffer) => data,
  2: (data: Buffer) => data.swap16(),
  4: (data: Buffer) => data.swap32(),
  8: (data: Buffer) => data.swap64(),
};

/** The number of compressed bytes read to see the headers: that of gzip, and at most 1,024 bytes of IDX. */
const lead = 2 ** 16;
/** The largest expansion factor of a deflate stream. */
const mostExpansion = 1032;

/** The content; null if it is longer than `most`. Of truncated data, the part that can be decompressed. */
function gunzip(bytes: Uint8Array, refuse: Refuse): Uint8Array;
function gunzip(bytes: Uint8Array, refuse: Refuse, part: true): Uint8Array;
function gunzip(bytes: Uint8Array, refuse: Refuse, part: false, most: number): Uint8Array | null;
function gunzip(bytes: Uint8Array, refuse: Refuse, part = false, most = lead * mostExpansion): Uint8Array | null {
  try {
    const maxOutputLength = Math.min(Math.max(most, 1), bufferConstants.MAX_LENGTH);
    const { gunzipSync, constants } = onDemand.zlib;
    return gunzipSync(bytes, part ? { finishFlush: constants.Z_SYNC_FLUSH } : { maxOutputLength });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") return null;
    return refuse("corrupt gzip", "a complete gzip stream", (error as Error).message);
  }
}

/**
 * Reads an IDX file, gzipped or not.
 * @throws as {@link decodeIdx}; for a missing file Node's ENOENT error.
 * @example
 * const { shape } = await loadIdx("train-images-idx3-ubyte.gz"); // [60000, 28, 28]
 */
export async function loadIdx(path: FilePath): Promise<IdxArray> {
  const file = pathOf("loadIdx", path);
  return readIdx("loadIdx", await readRegular("loadIdx", file), file);
}
