import { type DType, dtypes } from "../core/dtype.js";
import { describe, fail } from "../core/errors.js";
import { maxRank } from "../core/shape.js";
import { refuse, type Source } from "../core/source.js";
import { members, shortened, stringAt } from "./json-members.js";

/** The location of one tensor: bytes `begin` to `end` after the header. */
export interface Entry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly entries: readonly Entry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The format's own names of the dtypes. */
const codes: Readonly<Record<DType, string>> = {
  float32: "F32",
  float64: "F64",
  bfloat16: "BF16",
  float16: "F16",
  int32: "I32",
  int64: "I64",
  uint8: "U8",
  bool: "BOOL",
};
const names = new Map(Object.entries(codes).map(([name, code]) => [code, name as DType]));
const metadataKey = "__metadata__";
/** The header is preceded by its length, a 64-bit little-endian integer. */
export const prefixBytes = 8;
const maxHeaderBytes = 100_000_000;
/** Data starts at a multiple of this, so that a memory map of the file has aligned tensors. */
const alignment = 8;

/** The length of the header, from the first bytes of a file of `total` bytes. */
export function headerBytes(start: Uint8Array, total: number, source: Source): number {
  refusePickle(start, source);
  if (total < prefixBytes) refuse(source, "too short for safetensors", "at least 8 bytes", `${total}`);
  const length = new DataView(start.buffer, start.byteOffset, prefixBytes).getBigUint64(0, true);
  const most = Math.min(total - prefixBytes, maxHeaderBytes);
  if (length > most) refuse(source, "the header is longer than it can be", `at most ${most} bytes`, `${length}`);
  return Number(length);
}

/** Recognizes files of `torch.save`, the most likely mistake. */
function refusePickle(start: Uint8Array, source: Source): void {
  const zip = [0x50, 0x4b, 0x03, 0x04];
  const pickle = [0x80, 0x02, 0x8a, 0x0a];
  if (![zip, pickle].some((magic) => magic.every((byte, i) => start[i] === byte))) return;
  const from = /^[\w./ -]+\.\w+$/.test(source.name) ? source.name : "model.pt";
  const to = from.replace(/\.\w+$/, ".safetensors");
  const load = `torch.load('${from}', weights_only=True)`;
  const convert = `python3 -c "import torch, safetensors.torch as s; s.save_file(${load}, '${to}')"`;
  refuse(source, "a file of torch.save, not safetensors", `a file converted with: ${convert}`);
}

/** Longer entries are refused without parsing: an entry with sixteen sizes is far shorter. */
const longestEntry = 65_536;
/** The number of tensors after which a reader yields to the event loop. */
const breath = 1_000;
/** An object of more keys takes a second to grow. */
const mostNotes = 1_000_000;

/**
 * Reads and checks a header, yielding to the event loop between steps: every tensor fits its bytes, and the tensors
 * fill `dataBytes` without gaps or overlaps.
 */
export function* readHeader(json: Uint8Array, dataBytes: number, source: Source): Generator<undefined, Header> {
  const text = decodeText(json, source);
  yield; // decoding 100 MB takes a while, and so does finding the end of the metadata
  const notJson = (fact: string, at: number): never =>
    refuse(source, "the header is not JSON", undefined, `${fact}, at ${at}`);
  const entries: Entry[] = [];
  let metadata: Record<string, string> = {};
  for (const { key, from, to } of members(text, 0, text.length, notJson)) {
    if (key === metadataKey) metadata = yield* readMetadata(text, from, to, source);
    else entries.push(readEntry(key, text, from, to, source));
    if (entries.length % breath === 0) yield;
  }
  yield* checkPlaces(entries, dataBytes, source);
  return { entries, metadata };
}

/** The same, synchronously. */
export function parseHeader(json: Uint8Array, dataBytes: number, source: Source): Header {
  const steps = readHeader(json, dataBytes, source);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

function decodeText(json: Uint8Array, source: Source): string {
  if (json[0] !== 0x7b) refuse(source, "not safetensors", "a header that starts with {", describe(json[0]));
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json);
  } catch (error) {
    return refuse(source, "the header is not JSON", undefined, (error as Error).message);
  }
}

/** Checks that the tensors are adjacent: each begins where the one before it ends. */
function* checkPlaces(entries: readonly Entry[], dataBytes: number, source: Source): Generator<undefined, void> {
  yield;
  const begins = Float64Array.from(entries, ({ begin }) => begin).sort();
  yield;
  const ends = Float64Array.from(entries, ({ end }) => end).sort();
  yield;
  let last = 0;
  for (let i = 0; i < begins.length; i++) {
    const begin = begins[i]!;
    if (begin !== last) {
      const { name } = entries.findLast((entry) => entry.begin === begin)!;
      const problem = begin < last ? "overlaps the tensor before it" : "leaves a hole before it";
      refuse(source, `tensor ${quoted(name)} ${problem}`, `data_offsets from ${last}`, `from ${begin}`);
    }
    last = ends[i]!;
  }
  if (last !== dataBytes) {
    const fact = last > dataBytes ? "the data is cut off" : "the data has bytes left over";
    refuse(source, fact, `${last} bytes`, `${dataBytes}`);
  }
}

function* readMetadata(
  text: string,
  from: number,
  to: number,
  source: Source,
): Generator<undefined, Record<string, string>> {
  const bad = (): never => refuse(source, `${metadataKey} is not an object of strings`);
  if (text[from] !== "{") bad();
  const notes: [string, string][] = [];
  for (const { key, from: start, to: end } of members(text, from, to, bad)) {
    if (text[start] !== '"') bad();
    if (notes.length === mostNotes) refuse(source, `${metadataKey} has too many notes`, `at most ${mostNotes}`);
    notes.push([key, stringAt(text, start, end, bad)]);
    if (notes.length % breath === 0) yield;
  }
  return Object.fromEntries(notes);
}

const quoted = (name: string): string => `"${shortened(name)}"`;

function readEntry(name: string, text: string, from: number, to: number, source: Source): Entry {
  const bad = (what: string, expected: string, got: unknown) =>
    refuse(source, `tensor ${quoted(name)}: bad ${what}`, expected, describe(got));
  if (to - from > longestEntry) return bad("entry", `at most ${longestEntry} characters`, to - from);
  const raw: unknown = valueAt(text, from, to, source);
  if (!isRecord(raw)) return bad("entry", "an object", raw);
  const written = new Map<string, string>();
  const twice = (fact: string): never => bad("entry", "each key once", fact);
  for (const { key, from: start, to: end } of members(text, from, to, twice)) written.set(key, text.slice(start, end));

  const { dtype: code, shape, data_offsets: offsets } = raw;
  const dtype = typeof code === "string" ? names.get(code) : undefined;
  if (dtype === undefined) return bad("dtype", [...names.keys()].join(", "), code);
  if (!isCounts(shape, written.get("shape"))) return bad("shape", "an array of non-negative integers", shape);
  if (shape.length > maxRank) return bad("shape", `at most ${maxRank} dimensions`, shape.length);
  if (!isCounts(offsets, written.get("data_offsets")) || offsets.length !== 2)
    return bad("data_offsets", "[begin, end]", offsets);
  const [begin = 0, end = 0] = offsets;
  const bytes = shape.reduce((product, length) => product * length, dtypes[dtype].size);
  if (end - begin !== bytes) {
    return bad("data_offsets", `${bytes} bytes for ${dtype} [${shape.join(", ")}]`, end - begin);
  }
  // Sizes whose product overflows are refused also if another one is 0.
  const filled = shape.reduce((product, length) => product * Math.max(length, 1), 1);
  if (filled > 2 ** 50) return bad("shape", "at most 2^50 elements", shape);
  return { name, dtype, shape, begin, end };
}

function valueAt(text: string, from: number, to: number, source: Source): unknown {
  try {
    return JSON.parse(text.slice(from, to));
  } catch (error) {
    return refuse(source, "the header is not JSON", undefined, (error as Error).message);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Accepts integers written in plain digits only: not 1.0, 1e3 or -0, which are numbers in JSON too. */
function isCounts(value: unknown, written = ""): value is number[] {
  return (
    Array.isArray(value) &&
    value.every((count) => Number.isSafeInteger(count) && count >= 0) &&
    /^[\d\s,[\]]*$/.test(written)
  );
}

/** The start of a file, up to the data. ERR_ARGUMENT where it would be longer than readers accept. */
export function formatHeader(op: string, { entries, metadata }: Header): Uint8Array {
  const rows = entries.map(({ name, dtype, shape, begin, end }) => {
    return [name, { dtype: codes[dtype], shape, data_offsets: [begin, end] }] as const;
  });
  const notes = Object.keys(metadata).length === 0 ? [] : [[metadataKey, metadata] as const];
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries([...notes, ...rows])));
  const length = Math.ceil(json.length / alignment) * alignment;
  if (length > maxHeaderBytes)
    fail("ERR_ARGUMENT", op, "the header would be too long", `at most ${maxHeaderBytes} bytes`, `${length}`);
  const bytes = new Uint8Array(prefixBytes + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, prefixBytes);
  return bytes;
}

export const isReserved = (name: string) => name === metadataKey;
