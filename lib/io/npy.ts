/** Tensors in npy files, the format of NumPy's `save`. */
import { dtypes, type TypedArray } from "../core/dtype.js";
import { describe, fail, named } from "../core/errors.js";
import { writeAtomically } from "../core/file.js";
import { types } from "../core/node.js";
import { checkOptions } from "../core/options.js";
import { type FilePath, pathOf } from "../core/path.js";
import { refuse, type Source } from "../core/source.js";
import { needTensor } from "../engine/operand.js";
import { fromTyped, mapped } from "../tensor/allocate.js";
import { tensor } from "../tensor/from-data.js";
import { needRoom, typedArray } from "../tensor/javascript-memory.js";
import type { Tensor } from "../tensor/tensor.js";
import { formatNpyHeader, type NpyHeader, type NpyType, npyLead, parseNpyHeader } from "./npy-header.js";
import { type Reader, readBytes, readFile, take } from "./random-access.js";

export interface LoadNpyOptions {
  /**
   * Whether the file is mapped into memory instead of read: its pages are read when they are first used. Writes to the
   * tensor stay in this process. If another program cuts the file short meanwhile, using the tensor ends the process.
   * Where the system cannot map the file, or its elements need converting, it is read. Default false.
   */
  readonly map?: boolean | undefined;
}

/**
 * Encodes a tensor as the bytes of an npy file, which `numpy.load` reads.
 * @throws ERR_DTYPE for bfloat16, which npy does not have.
 * @example decodeNpy(encodeNpy(tensor([[1, 2]]))).toArray(); // [[1, 2]]
 */
export function encodeNpy(x: Tensor): Uint8Array {
  const [header, data] = npyPieces("encodeNpy", x);
  const bytes = new Uint8Array(header.length + data.length);
  bytes.set(header);
  bytes.set(data, header.length);
  return bytes;
}

/**
 * Decodes an npy file, of version 1 to 3, either byte order and either order of axes. The bytes may be untrusted. 8-bit
 * and 16-bit integers become int32 (uint8 stays), uint32 and uint64 int64.
 * @throws ERR_FORMAT for bytes that are not a complete npy file of booleans, integers or floats (the message has the line
 * of Python that converts others); ERR_DTYPE for a uint64 of 2^63 or more; ERR_MEMORY if it exceeds the memory limit.
 * @example decodeNpy(encodeNpy(tensor([true, false]))).dtype; // "bool"
 */
export function decodeNpy(bytes: Uint8Array): Tensor {
  const op = "decodeNpy";
  needBytes(op, bytes);
  return readBytes(bytes, npyReader({ op, name: "bytes" }, bytes.length));
}

/**
 * Reads an npy file; with `map`, maps it.
 * @throws as {@link decodeNpy}; ERR_ARGUMENT for a folder, device, FIFO or socket; for a missing file Node's ENOENT
 * error.
 * @example
 * const embeddings = await loadNpy("embeddings.npy", { map: true });
 * embeddings.shape; // [100, 8]
 */
export async function loadNpy(path: FilePath, options?: LoadNpyOptions): Promise<Tensor> {
  const op = "loadNpy";
  const { map = false } = checkOptions<LoadNpyOptions>(op, options, [], ["map"]);
  const source = { op, name: pathOf(op, path) };
  return readFile(source, (size, file) => npyReader(source, size, map ? file : undefined));
}

/**
 * Writes a tensor to an npy file atomically, as {@link saveSafetensors} does.
 * @throws as {@link encodeNpy}; ERR_ARGUMENT for a folder, device, FIFO or socket; Node's own errors of the file system.
 * @example
 * await saveNpy("x.npy", tensor([1, 2]));
 * (await loadNpy("x.npy")).toArray(); // [1, 2]
 */
export async function saveNpy(path: FilePath, x: Tensor): Promise<void> {
  const op = "saveNpy";
  await writeAtomically(op, pathOf(op, path), npyPieces(op, x));
}

export function needBytes(op: string, bytes: Uint8Array): void {
  if (!types.isUint8Array(bytes)) fail("ERR_ARGUMENT", op, "not bytes", "a Uint8Array", describe(bytes));
}

/** Header and elements of a file. */
export function npyPieces(op: string, x: Tensor): [Uint8Array, Uint8Array] {
  const { dtype, shape } = needTensor(op, x);
  const header = formatNpyHeader(op, dtype, shape);
  const { buffer, byteOffset, byteLength } = x.toStored();
  return [header, new Uint8Array(buffer, byteOffset, byteLength)];
}

function* npyReader(source: Source, size: number, file?: number): Reader<Tensor> {
  const header = parseNpyHeader(yield* take(0, Math.min(size, npyLead)), size, source);
  const whole = file === undefined ? null : mapNpy(source, header, file);
  if (whole !== null) return whole;
  needRoom(source.op, 2 * header.bytes);
  const { array, bytes } = npyRoom(source, header);
  if (bytes.length > 0) yield { bytes, position: header.start };
  return npyTensor(source, header, array);
}

/** The elements of a file in their place; null where they cannot be used as they are. */
function mapNpy({ op }: Source, { type, littleEndian, fortran, shape, start }: NpyHeader, file: number): Tensor | null {
  if (!isStored(type) || !(littleEndian || type.size === 1) || start % type.size !== 0) return null;
  const x = mapped(op, file, start, dtypes[type.dtype], fortran ? shape.toReversed() : shape);
  return x === null || !fortran ? x : reversed(x);
}

/** Whether tensors hold these elements as the file does. */
function isStored({ array, size, dtype }: NpyType): boolean {
  const row = dtypes[dtype];
  return row.kind !== "bool" && (row.half ? row.size === size : row.array === array);
}

/** A buffer for the elements, and the same memory as bytes. */
export function npyRoom({ op }: Source, { type, bytes }: NpyHeader): { array: TypedArray; bytes: Uint8Array } {
  const array: TypedArray = typedArray<TypedArray>(op, type.array, bytes / type.size);
  return { array, bytes: new Uint8Array(array.buffer) };
}

const swap = {
  1: (bytes: Buffer) => bytes,
  2: (bytes: Buffer) => bytes.swap16(),
  4: (bytes: Buffer) => bytes.swap32(),
  8: (bytes: Buffer) => bytes.swap64(),
};

/** The tensor of these elements, which are those of the file. */
export function npyTensor(source: Source, header: NpyHeader, array: TypedArray): Tensor {
  const { type, littleEndian, fortran, shape } = header;
  if (!littleEndian) swap[type.size](Buffer.from(array.buffer as ArrayBuffer));
  const row = dtypes[type.dtype];
  const odd = row.kind === "bool" ? (array as Uint8Array).find((byte) => byte > 1) : undefined;
  if (odd !== undefined) refuse(source, "a boolean is neither 0 nor 1", undefined, `${odd}`);
  const stored = fortran ? shape.toReversed() : shape;
  const x = isStored(type)
    ? fromTyped(source.op, array, row, stored)
    : named(source.op, () => tensor(array, { dtype: type.dtype, shape: stored }));
  return fortran ? reversed(x) : x;
}

/** A view with the axes in reverse order. */
const reversed = (x: Tensor): Tensor => x.permute(x.shape.map((_, axis) => x.shape.length - 1 - axis));
