/** The header of an npy file: the dtype, order and shape of an array. */
import type { DType, TypedArray } from "../core/dtype.js";
import { describe, fail } from "../core/errors.js";
import { maxRank, numel, type Shape } from "../core/shape.js";
import { refuse, type Source } from "../core/source.js";
import { type Dict, type Literal, parseLiteral } from "./python-literal.js";

/** An element type of the format. */
export interface NpyType {
  /** The typed array of its elements; for float16 of their bits. */
  readonly array: new (
    length: number,
  ) => TypedArray;
  readonly size: 1 | 2 | 4 | 8;
  /** The dtype of a tensor that holds all its values. */
  readonly dtype: DType;
}

const types: Readonly<Record<string, NpyType>> = {
  b1: { array: Uint8Array, size: 1, dtype: "bool" },
  i1: { array: Int8Array, size: 1, dtype: "int32" },
  i2: { array: Int16Array, size: 2, dtype: "int32" },
  i4: { array: Int32Array, size: 4, dtype: "int32" },
  i8: { array: BigInt64Array, size: 8, dtype: "int64" },
  u1: { array: Uint8Array, size: 1, dtype: "uint8" },
  u2: { array: Uint16Array, size: 2, dtype: "int32" },
  u4: { array: Uint32Array, size: 4, dtype: "int64" },
  u8: { array: BigUint64Array, size: 8, dtype: "int64" },
  f2: { array: Uint16Array, size: 2, dtype: "float16" },
  f4: { array: Float32Array, size: 4, dtype: "float32" },
  f8: { array: Float64Array, size: 8, dtype: "float64" },
};

/** The codes that files are written with. */
const written: Readonly<Partial<Record<DType, string>>> = {
  bool: "|b1",
  uint8: "|u1",
  int32: "<i4",
  int64: "<i8",
  float16: "<f2",
  float32: "<f4",
  float64: "<f8",
};

/** What other kinds of elements are, and the Python that converts an array `a` of them. */
const others: Readonly<Record<string, readonly [what: string, python: string]>> = {
  O: ["Python objects", "a.astype('float32')"],
  c: ["complex numbers", "numpy.stack([a.real, a.imag], -1)"],
  f: ["floats of another size", "a.astype('float64')"],
  S: ["bytes", "numpy.unique(a, return_inverse=True)[1]"],
  U: ["text", "numpy.unique(a, return_inverse=True)[1]"],
  M: ["dates", "a.astype('int64')"],
  m: ["time differences", "a.astype('int64')"],
  V: ["records", "a['name of a field']"],
};

export interface NpyHeader {
  readonly type: NpyType;
  readonly littleEndian: boolean;
  /** Whether the first index varies fastest, as in Fortran. */
  readonly fortran: boolean;
  readonly shape: Shape;
  /** The position of the first element. */
  readonly start: number;
  /** The number of bytes of all elements. */
  readonly bytes: number;
}

const magic = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);
const longest = 65_536;
/** So many bytes hold every header. */
export const npyLead = longest + 12;
const alignment = 64;

/** Reads a header from the first bytes of a file of `total` bytes: {@link npyLead} of them, or all. */
export function parseNpyHeader(lead: Uint8Array, total: number, source: Source): NpyHeader {
  const not = (got: string): never => refuse(source, "not an npy file", "bytes that start with \\x93NUMPY", got);
  if (lead.length < 10) not(`${lead.length} bytes`);
  if (!magic.every((byte, i) => lead[i] === byte)) not(describe([...lead.subarray(0, 6)]));
  const version = lead[6]!;
  if (version < 1 || version > 3) refuse(source, "an unknown version of npy", "1, 2 or 3", `${version}`);
  const lengthBytes = version === 1 ? 2 : 4;
  const at = 8 + lengthBytes;
  const view = new DataView(lead.buffer, lead.byteOffset, lead.byteLength);
  if (lead.length < at) refuse(source, "cut off in its header", `${at} bytes`, `${lead.length}`);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > longest) refuse(source, "the header is too long", `at most ${longest} bytes`, `${length}`);
  const start = at + length;
  if (start > lead.length) refuse(source, "cut off in its header", `${start} bytes`, `${lead.length}`);
  const { type, littleEndian, fortran, shape } = fieldsOf(decode(lead.subarray(at, start), version, source), source);
  // Sizes whose product overflows are refused also if another one is 0.
  if (shape.reduce((product, size) => product * Math.max(size, 1), 1) > 2 ** 50)
    refuse(source, "the shape is too large", "at most 2^50 elements", describe(shape));
  const bytes = numel(shape) * type.size;
  const expected = `${start + bytes} bytes for ${type.array.name.replace("Array", "")} [${shape.join(", ")}]`;
  if (total !== start + bytes)
    refuse(source, total < start + bytes ? "cut off" : "has bytes left over", expected, `${total}`);
  return { type, littleEndian, fortran, shape, start, bytes };
}

function decode(bytes: Uint8Array, version: number, source: Source): string {
  try {
    return new TextDecoder(version === 3 ? "utf-8" : "latin1", { fatal: true }).decode(bytes);
  } catch (error) {
    return refuse(source, "the header is not text", undefined, (error as Error).message);
  }
}

const keys = ["descr", "fortran_order", "shape"];

function fieldsOf(text: string, source: Source) {
  const bad = (fact: string): never => refuse(source, "the header is not that of an array", undefined, fact);
  const dict = parseLiteral(text, bad);
  if (!(dict instanceof Map) || dict.size !== keys.length || !keys.every((key) => dict.has(key)))
    return bad(`other keys than ${keys.join(", ")}`);
  const fields: Dict = dict;
  const [descr, fortran, shape] = keys.map((key) => fields.get(key)!) as [Literal, Literal, Literal];
  if (typeof fortran !== "boolean") return bad("fortran_order is neither True nor False");
  if (!Array.isArray(shape)) return bad("shape is no tuple");
  const sizes = (shape as readonly Literal[]).map((size) =>
    typeof size === "number" && Number.isSafeInteger(size) ? size : bad("shape is no tuple of sizes"),
  );
  if (sizes.length > maxRank) refuse(source, "too many dimensions", `at most ${maxRank}`, `${sizes.length}`);
  return { ...typeOf(descr, source), fortran, shape: sizes };
}

function typeOf(descr: Literal, source: Source): { type: NpyType; littleEndian: boolean } {
  const [, order = "", code = ""] =
    (typeof descr === "string" ? /^([<>|=]?)(\w+)(?:\[\w+\])?$/.exec(descr) : null) ?? [];
  const type = Object.hasOwn(types, code) ? types[code]! : undefined;
  if (type !== undefined && (type.size === 1 || order !== "|")) return { type, littleEndian: order !== ">" };
  const [what, python] = others[typeof descr === "string" ? code.charAt(0) : "V"] ?? [
    "elements of an unknown type",
    "",
  ];
  const got = typeof descr === "string" ? describe(descr) : "a record type";
  const way = python === "" ? "" : `; convert it in Python: numpy.save("x.npy", ${python})`;
  return refuse(source, `an array of ${what}`, `one of ${Object.keys(types).join(", ")}`, got + way);
}

/** The start of a file, up to the data. */
export function formatNpyHeader(op: string, dtype: DType, shape: Shape): Uint8Array {
  const descr = written[dtype];
  if (descr === undefined)
    return fail("ERR_DTYPE", op, `npy has no ${dtype}`, 'another dtype, as x.to("float32") gives', dtype);
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + text.length + 1) / alignment) * alignment;
  const bytes = new Uint8Array(length).fill(0x20);
  bytes.set(magic);
  bytes.set([1, 0], 6);
  new DataView(bytes.buffer).setUint16(8, length - 10, true);
  new TextEncoder().encodeInto(text, bytes.subarray(10));
  bytes[length - 1] = 0x0a;
  return bytes;
}
