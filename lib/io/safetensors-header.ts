import { type DType, dtypes } from "../core/dtype.js";
import { describe, fail } from "../core/errors.js";

/** Where one tensor lies: bytes `begin` to `end` after the header. */
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

/** What error messages name: the public function, and the file or bytes it reads. */
export interface Source {
  readonly op: string;
  readonly name: string;
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
/** The length of the header, a 64-bit little-endian integer, stands before it. */
export const prefixBytes = 8;
const maxHeaderBytes = 100_000_000;
/** Data starts at a multiple of this, so that a memory map of the file has aligned tensors. */
const alignment = 8;

export function refuse(source: Source, fact: string, expected?: string, got?: string): never {
  fail("ERR_FORMAT", source.op, `${source.name}: ${fact}`, expected, got, { source: source.name });
}

/** The length of the header, from the first bytes of a file of `total` bytes. */
export function headerBytes(start: Uint8Array, total: number, source: Source): number {
  refusePickle(start, source);
  if (total < prefixBytes) refuse(source, "too short for safetensors", "at least 8 bytes", `${total}`);
  const length = new DataView(start.buffer, start.byteOffset, prefixBytes).getBigUint64(0, true);
  const most = Math.min(total - prefixBytes, maxHeaderBytes);
  if (length > most) refuse(source, "the header is longer than it can be", `at most ${most} bytes`, `${length}`);
  return Number(length);
}

/** Files of `torch.save` are recognised, because that is what people have. */
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

/** Reads and checks a header: every tensor fits its bytes, and the tensors fill `dataBytes` without hole or overlap. */
export function parseHeader(json: Uint8Array, dataBytes: number, source: Source): Header {
  const header = parseObject(json, source);
  const { [metadataKey]: rawMetadata = {}, ...tensors } = header;
  const metadata = parseMetadata(rawMetadata, source);
  const entries = Object.entries(tensors).map(([name, raw]) => parseEntry(name, raw, source));

  let last = 0;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    const problem = begin < last ? "overlaps the tensor before it" : "leaves a hole before it";
    if (begin !== last) refuse(source, `tensor "${name}" ${problem}`, `data_offsets from ${last}`, `from ${begin}`);
    last = end;
  }
  if (last !== dataBytes) {
    const fact = last > dataBytes ? "the data is cut off" : "the data has bytes left over";
    refuse(source, fact, `${last} bytes`, `${dataBytes}`);
  }
  return { entries, metadata };
}

function parseObject(json: Uint8Array, source: Source): Record<string, unknown> {
  if (json[0] !== 0x7b) refuse(source, "not safetensors", "a header that starts with {", describe(json[0]));
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(json)) as Record<string, unknown>;
  } catch (error) {
    return refuse(source, "the header is not JSON", undefined, (error as Error).message);
  }
}

function parseMetadata(raw: unknown, source: Source): Record<string, string> {
  const isText = isRecord(raw) && Object.values(raw).every((value) => typeof value === "string");
  if (!isText) refuse(source, `${metadataKey} is not an object of strings`);
  return raw as Record<string, string>;
}

function parseEntry(name: string, raw: unknown, source: Source): Entry {
  const bad = (what: string, expected: string, got: unknown) =>
    refuse(source, `tensor "${name}": bad ${what}`, expected, describe(got));

  if (!isRecord(raw)) return bad("entry", "an object", raw);
  const { dtype: code, shape, data_offsets: offsets } = raw;
  const dtype = typeof code === "string" ? names.get(code) : undefined;
  if (dtype === undefined) return bad("dtype", [...names.keys()].join(", "), code);
  if (!isCounts(shape)) return bad("shape", "an array of non-negative integers", shape);
  if (!isCounts(offsets) || offsets.length !== 2) return bad("data_offsets", "[begin, end]", offsets);
  const [begin = 0, end = 0] = offsets;
  const bytes = shape.reduce((product, length) => product * length, dtypes[dtype].size);
  if (end - begin !== bytes) {
    return bad("data_offsets", `${bytes} bytes for ${dtype} [${shape.join(", ")}]`, end - begin);
  }
  return { name, dtype, shape, begin, end };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
}

/** What a file begins with, up to the data. */
export function formatHeader({ entries, metadata }: Header): Uint8Array {
  const rows = entries.map(({ name, dtype, shape, begin, end }) => {
    return [name, { dtype: codes[dtype], shape, data_offsets: [begin, end] }] as const;
  });
  const notes = Object.keys(metadata).length === 0 ? [] : [[metadataKey, metadata] as const];
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries([...notes, ...rows])));
  const length = Math.ceil(json.length / alignment) * alignment;
  const bytes = new Uint8Array(prefixBytes + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, prefixBytes);
  return bytes;
}

export const isReserved = (name: string) => name === metadataKey;
