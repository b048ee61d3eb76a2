import type { FileHandle } from "node:fs/promises";
import { breather } from "../core/breather.js";
import { dtypes, type TypedArray } from "../core/dtype.js";
import { describe, fail } from "../core/errors.js";
import { openRegular, readInto, writeAtomically } from "../core/file.js";
import { types } from "../core/node.js";
import { checkOptions } from "../core/options.js";
import { type FilePath, pathOf } from "../core/path.js";
import { refuse, type Source } from "../core/source.js";
import { fromTyped, mapped } from "../tensor/allocate.js";
import { tensor } from "../tensor/from-data.js";
import { needRoom, typedArray } from "../tensor/javascript-memory.js";
import { Tensor } from "../tensor/tensor.js";
import {
  type Entry,
  formatHeader,
  type Header,
  headerBytes,
  isReserved,
  parseHeader,
  prefixBytes,
  readHeader,
} from "./safetensors-header.js";

/** Tensors by name, as `stateDict()` gives them. */
export type Tensors = Readonly<Record<string, Tensor>>;

export interface LoadSafetensorsOptions {
  /**
   * Whether the file is mapped into memory instead of read: its pages are read when they are first used, and weights may
   * be larger than memory. Writes to the tensors stay in this process. If another program cuts the file short meanwhile,
   * using the tensors ends the process. Where the system cannot map the file, and for tensors of booleans or at odd
   * positions, it is read. Default false.
   */
  readonly map?: boolean | undefined;
}

export interface SafetensorsOptions {
  /** Metadata for the file's header. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/**
 * Encodes tensors as the bytes of a safetensors file.
 * @throws ERR_ARGUMENT if a value is not a tensor, a name is reserved, or a value of the metadata is not a string.
 * @example
 * const bytes = encodeSafetensors({ weight: tensor([[1, 2]]) }, { metadata: { made: "by hand" } });
 */
export function encodeSafetensors(tensors: Tensors, options?: SafetensorsOptions): Uint8Array {
  const pieces = piecesOf("encodeSafetensors", tensors, options);
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let start = 0;
  for (const piece of pieces) {
    bytes.set(piece, start);
    start += piece.length;
  }
  return bytes;
}

/**
 * Decodes the tensors of a safetensors file, in the order of its header. The bytes may be untrusted: sizes, offsets,
 * dtypes and JSON are checked before data is read.
 * @throws ERR_FORMAT for bytes that are not a complete and consistent safetensors file of nabla's dtypes; ERR_MEMORY if
 * the tensors would exceed the memory limit (checked before any is made).
 * @example
 * const { weight } = decodeSafetensors(bytes);
 */
export function decodeSafetensors(bytes: Uint8Array): Record<string, Tensor> {
  const { header, data, source } = split("decodeSafetensors", bytes);
  needRoomFor(header.entries, source);
  const named = header.entries.map((entry) => {
    const { array, bytes } = room(entry, source);
    bytes.set(data.subarray(entry.begin, entry.end));
    return [entry.name, make(entry, array, source)] as const;
  });
  return Object.fromEntries(named);
}

/**
 * The metadata in the header of a safetensors file, given its bytes.
 * @throws as {@link decodeSafetensors}.
 * @example
 * const file = encodeSafetensors({ w: tensor([1]) }, { metadata: { made: "by hand" } });
 * decodeSafetensorsMetadata(file).made; // "by hand"
 */
export function decodeSafetensorsMetadata(bytes: Uint8Array): Readonly<Record<string, string>> {
  return split("decodeSafetensorsMetadata", bytes).header.metadata;
}

/**
 * Reads the tensors of a safetensors file; with `map`, maps them.
 * @throws as {@link decodeSafetensors} (for a `.pt` file the message has the line of Python that converts it);
 * ERR_ARGUMENT for a folder, device, FIFO or socket; for a missing file Node's ENOENT error.
 * @example
 * model.loadStateDict(await loadSafetensors("weights.safetensors"));
 */
export async function loadSafetensors(
  path: FilePath,
  options?: LoadSafetensorsOptions,
): Promise<Record<string, Tensor>> {
  const op = "loadSafetensors";
  const { map = false } = checkOptions<LoadSafetensorsOptions>(op, options, [], ["map"]);
  const { tensors } = await readTensors({ op, name: pathOf(op, path) }, { map });
  return Object.fromEntries(tensors);
}

interface Reading {
  /** Whether tensors are mapped where they can be. */
  readonly map?: boolean;
  readonly checks?: Checks;
}

interface Checks {
  /** Checks the header before any element is read. */
  header(header: Header): void;
  /** Checks the elements of a tensor. */
  elements(entry: Entry, bytes: Uint8Array): Promise<void>;
}

/** The header of an open file, and how to read on. */
async function headerOf(file: FileHandle, source: Source, pause: () => Promise<void>) {
  const { size } = await file.stat();
  const read = async (bytes: Uint8Array, position: number): Promise<Uint8Array> => {
    const got = await readInto(file, bytes, position);
    if (got < bytes.length)
      refuse(source, "the file got shorter while it was read", `${size} bytes`, `${position + got}`);
    return bytes;
  };
  const start = await read(new Uint8Array(Math.min(size, prefixBytes)), 0);
  const length = headerBytes(start, size, source);
  const dataStart = prefixBytes + length;
  const steps = readHeader(await read(new Uint8Array(length), prefixBytes), size - dataStart, source);
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) await pause();
  return { header: step.value, dataStart, read, size };
}

/** The header of a file, yielding to the event loop. */
export async function readFileHeader(source: Source): Promise<Header> {
  const file = await openRegular(source.op, source.name);
  try {
    return (await headerOf(file, source, breather())).header;
  } finally {
    await file.close();
  }
}

/** Reads the tensors of a file, yielding to the event loop. */
export async function readTensors(
  source: Source,
  { map = false, checks }: Reading = {},
): Promise<{ header: Header; tensors: Map<string, Tensor> }> {
  const file = await openRegular(source.op, source.name);
  const pause = breather();
  try {
    const { header, dataStart, read, size } = await headerOf(file, source, pause);
    checks?.header(header);
    const maps = header.entries.map((entry) => (map ? mapEntry(entry, file.fd, dataStart, source) : null));
    needRoomFor(
      header.entries.filter((_, i) => maps[i] === null),
      source,
    );
    const fill = buffered(read, size);
    const tensors = new Map<string, Tensor>();
    for (const [i, entry] of header.entries.entries()) {
      const whole = maps[i] ?? null;
      if (whole !== null) {
        tensors.set(entry.name, whole);
        continue;
      }
      await pause();
      const { array, bytes } = room(entry, source);
      await fill(bytes, dataStart + entry.begin);
      await checks?.elements(entry, bytes);
      tensors.set(entry.name, make(entry, array, source));
    }
    return { header, tensors };
  } finally {
    await file.close();
  }
}

/**
 * Writes tensors to a safetensors file atomically: the file appears under its name once it is complete and on disk. It
 * contains the values at the time of the call, even if the tensors change before the promise resolves. Symbolic links
 * are followed; an existing file's mode is kept.
 * @throws ERR_ARGUMENT as {@link encodeSafetensors}, and for a folder, device, FIFO or socket; Node's own errors of the
 * file system.
 * @example
 * await saveSafetensors("weights.safetensors", model.stateDict(), { metadata: { epoch: "3" } });
 */
export async function saveSafetensors(path: FilePath, tensors: Tensors, options?: SafetensorsOptions): Promise<void> {
  const op = "saveSafetensors";
  await writeAtomically(op, pathOf(op, path), piecesOf(op, tensors, options));
}

type Read = (bytes: Uint8Array, position: number) => Promise<Uint8Array>;

/** Reads a file of `size` bytes; small pieces that follow each other share a system call. */
function buffered(read: Read, size: number): (bytes: Uint8Array, position: number) => Promise<void> {
  const ahead = 2 ** 18;
  let start = 0;
  let held = new Uint8Array();
  return async (bytes, position) => {
    if (bytes.length === 0) return;
    if (bytes.length > ahead / 4) {
      await read(bytes, position);
      return;
    }
    if (position < start || position + bytes.length > start + held.length) {
      start = position;
      held = new Uint8Array(Math.min(ahead, size - position));
      await read(held, position);
    }
    bytes.set(held.subarray(position - start, position - start + bytes.length));
  };
}

/** A tensor's place in a file, and a copy of its elements. */
export interface Placed extends Entry {
  readonly bytes: Uint8Array;
}

/** Places the tensors in a file. Dtypes of larger elements come first, so that each tensor is aligned to its element size. */
export function place(tensors: Iterable<readonly [string, Tensor]>): Placed[] {
  const placed: Placed[] = [];
  let begin = 0;
  for (const [name, t] of [...tensors].sort(([, a], [, b]) => dtypes[b.dtype].size - dtypes[a.dtype].size)) {
    const { buffer, byteOffset, byteLength } = t.toStored();
    const end = begin + byteLength;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    placed.push({ name, dtype: t.dtype, shape: t.shape, begin, end, bytes });
    begin = end;
  }
  return placed;
}

/** Header and data of a file. */
function piecesOf(op: string, tensors: Tensors, options: SafetensorsOptions | undefined): Uint8Array[] {
  const { metadata = {} } = checkOptions(op, options, ["metadata"]);
  checkTensors(op, tensors, metadata);
  const placed = place(Object.entries(tensors));
  const at = new Map(placed.map((entry) => [entry.name, entry]));
  const entries = Object.keys(tensors).map((name) => at.get(name)!);
  return [formatHeader(op, { entries, metadata }), ...placed.map(({ bytes }) => bytes)];
}

/** ERR_ARGUMENT unless these are tensors by name. */
export function needTensors(op: string, tensors: Tensors): void {
  const bad = (fact: string, expected: string, got: unknown) => fail("ERR_ARGUMENT", op, fact, expected, describe(got));
  if (typeof tensors !== "object" || tensors === null || tensors instanceof Tensor || Array.isArray(tensors)) {
    bad("tensors must have names", "an object of tensors, as model.stateDict()", tensors);
  }
  for (const [name, t] of Object.entries(tensors))
    if (!(t instanceof Tensor)) bad(`"${name}" is not a tensor`, "a Tensor", t);
}

function checkTensors(op: string, tensors: Tensors, metadata: Readonly<Record<string, string>>): void {
  const bad = (fact: string, expected: string, got: unknown) => fail("ERR_ARGUMENT", op, fact, expected, describe(got));
  needTensors(op, tensors);
  for (const name of Object.keys(tensors)) if (isReserved(name)) bad("a name is reserved", "another name", name);
  if (typeof metadata !== "object" || metadata === null) bad("bad metadata", "an object of strings", metadata);
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== "string") bad(`bad metadata "${key}"`, "a string", value);
  }
}

function split(op: string, bytes: Uint8Array): { header: Header; data: Uint8Array; source: Source } {
  if (!types.isUint8Array(bytes)) fail("ERR_ARGUMENT", op, "not bytes", "a Uint8Array", describe(bytes));
  const source: Source = { op, name: "bytes" };
  const dataStart = prefixBytes + headerBytes(bytes, bytes.length, source);
  const header = parseHeader(bytes.subarray(prefixBytes, dataStart), bytes.length - dataStart, source);
  return { header, data: bytes.subarray(dataStart), source };
}

/** ERR_MEMORY unless there is room for all tensors, and for the elements of one as they are read. */
function needRoomFor(entries: readonly Entry[], { op }: Source): void {
  const sizes = entries.map(({ begin, end }) => end - begin);
  const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
  needRoom(op, sizes.reduce((sum, size) => sum + size, 0) + largest);
}

/** A buffer for the elements of a tensor, and the same memory as bytes. */
function room({ dtype, begin, end }: Entry, { op }: Source): { array: TypedArray; bytes: Uint8Array } {
  const { array: Values, half } = dtypes[dtype];
  const array: TypedArray = typedArray<TypedArray>(op, half ? Uint16Array : Values, (end - begin) / dtypes[dtype].size);
  return { array, bytes: new Uint8Array(array.buffer) };
}

/** The elements of a file in their place; null where they cannot be used so. */
function mapEntry({ dtype, shape, begin }: Entry, file: number, dataStart: number, { op }: Source): Tensor | null {
  const type = dtypes[dtype];
  const position = dataStart + begin;
  return type.kind === "bool" || position % type.size !== 0 ? null : mapped(op, file, position, type, shape);
}

function make({ name, dtype, shape }: Entry, array: TypedArray, source: Source): Tensor {
  const odd = dtype === "bool" ? (array as Uint8Array).find((byte) => byte > 1) : undefined;
  if (odd !== undefined) refuse(source, `tensor "${name}" holds a bad boolean`, "0 or 1", `${odd}`);
  const type = dtypes[dtype];
  return type.half ? fromTyped(source.op, array, type, shape) : tensor(array, { dtype, shape });
}
