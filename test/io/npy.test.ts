import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync } from "node:zlib";
import fc from "fast-check";
import {
  arange,
  type DType,
  decodeNpy,
  decodeNpz,
  encodeNpy,
  encodeNpz,
  loadNpy,
  loadNpz,
  memory,
  NablaError,
  saveNpy,
  saveNpz,
  type Tensor,
  tensor,
  zeros,
} from "nabla";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

interface Golden {
  arrays: { name: string; file: string; shape: number[]; values: string[] }[];
  refused: Record<string, string>;
  archives: Record<string, string>;
  contents: Record<string, { shape: number[]; values: string[] }>;
}
const golden = JSON.parse(await readFile(new URL("golden/npy.json", import.meta.url), "utf8")) as Golden;
const bytesOf = (base64: string): Uint8Array => new Uint8Array(Buffer.from(base64, "base64"));
const values = (x: Tensor): string[] => Array.from(x.toTypedArray() as ArrayLike<number | bigint>, String);
const numbers = (texts: readonly string[]): string[] =>
  texts.map((text) => String(/[.e]/.test(text) ? Number(text) : BigInt(text)));
const plain = (x: Tensor) => [x.dtype, x.shape, x.contiguous().toTypedArray()];

/** An npy file made by hand. */
function file(header: string, data: Uint8Array | number = 0, version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const start = version === 1 ? 10 : 12;
  const body = typeof data === "number" ? new Uint8Array(data) : data;
  const bytes = new Uint8Array(start + text.length + body.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0]);
  const view = new DataView(bytes.buffer);
  if (version === 1) view.setUint16(8, text.length, true);
  else view.setUint32(8, text.length, true);
  bytes.set(text, start);
  bytes.set(body, start + text.length);
  return bytes;
}
const header = (descr: string, shape: string, fortran = "False") =>
  `{'descr': ${descr}, 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;
const f4 = (shape: string, data: number) => file(header("'<f4'", shape), data);

const everything = (): Record<string, Tensor> => ({
  bool: tensor([true, false]),
  uint8: tensor(Uint8Array.of(0, 255)),
  int32: tensor(Int32Array.of(-(2 ** 31), 2 ** 31 - 1)),
  int64: tensor(BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)),
  float16: tensor([1.5, -0.25]).to("float16"),
  float32: tensor([[1.5, Number.NEGATIVE_INFINITY, -0]]),
  float64: tensor(Float64Array.of(Math.PI, 5e-324)),
  "∇/a b": tensor(7),
  empty: zeros([0, 3]),
  "strided view": arange(6).reshape([2, 3]).t(),
});

describe("files of NumPy", () => {
  test.each(golden.arrays)("$name", ({ file, shape, values: wanted }) => {
    const x = decodeNpy(bytesOf(file));
    expect(x.shape).toEqual(shape);
    expect(values(x.contiguous())).toEqual(numbers(wanted));
  });
  test("cover each code, order and version", () => expect(golden.arrays.length).toBe(33));
  test.each(Object.entries(golden.archives))("%s", (_, file) => {
    const tensors = decodeNpz(bytesOf(file));
    expect(Object.keys(tensors)).toEqual(Object.keys(golden.contents));
    for (const [name, { shape, values: wanted }] of Object.entries(golden.contents)) {
      expect(tensors[name]!.shape).toEqual(shape);
      expect(values(tensors[name]!.contiguous())).toEqual(numbers(wanted));
    }
  });
  test.each([
    ["complex", "complex numbers", "numpy.stack([a.real, a.imag], -1)"],
    ["objects", "Python objects", "a.astype('float32')"],
    ["records", "records", "a['name of a field']"],
    ["nested records", "records", "a['name of a field']"],
    ["text", "text", "numpy.unique(a, return_inverse=True)[1]"],
    ["bytes", "bytes", "numpy.unique(a, return_inverse=True)[1]"],
    ["dates", "dates", "a.astype('int64')"],
    ["long floats", "floats of another size", "a.astype('float64')"],
  ])("of %s are refused, with the Python that converts them", (name, what, python) => {
    const refused = expect.objectContaining({ code: "ERR_FORMAT", message: expect.stringContaining(python) });
    expect(() => decodeNpy(bytesOf(golden.refused[name]!))).toThrowError(refused);
    expect(() => decodeNpy(bytesOf(golden.refused[name]!))).toThrowError(`an array of ${what}`);
  });
});

describe("what was encoded", () => {
  test.each(Object.entries(everything()))("comes back: %s", (_, x) => {
    expect(plain(decodeNpy(encodeNpy(x)))).toEqual(plain(x));
  });
  test.each([false, true])("comes back from an npz file, compress: %s", (compress) => {
    const tensors = everything();
    const back = decodeNpz(encodeNpz(tensors, { compress }));
    expect(Object.entries(back).map(([name, x]) => [name, ...plain(x)])).toEqual(
      Object.entries(tensors).map(([name, x]) => [name, ...plain(x)]),
    );
  });
  test("is compressed on request alone, and the same bytes each time", () => {
    const x = zeros([10_000]);
    expect(encodeNpz({ x }).length).toBeGreaterThan(40_000);
    expect(encodeNpz({ x }, { compress: true }).length).toBeLessThan(1_000);
    expect(encodeNpz({ x }, { compress: true })).toEqual(encodeNpz({ x }, { compress: true }));
  });
  test("has its elements at a multiple of 64 bytes", () => {
    for (const shape of [[], [1], [1, 2, 3], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]]) {
      const bytes = encodeNpy(zeros(shape));
      expect((bytes.length - 4 * shape.reduce((a, b) => a * b, 1)) % 64).toBe(0);
    }
  });
  test("has no bfloat16", () => {
    const refused = expect.objectContaining({ code: "ERR_DTYPE", message: expect.stringContaining('x.to("float32")') });
    expect(() => encodeNpy(zeros([2], { dtype: "bfloat16" }))).toThrowError(refused);
    expect(() => encodeNpz({ x: zeros([2], { dtype: "bfloat16" }) })).toThrowError(refused);
  });
  test("has the checksum of its bytes, also of an empty array", () => {
    const bytes = encodeNpz({ x: zeros([0, 3]) });
    const at = find(bytes, 1, 2);
    expect(new DataView(bytes.buffer).getUint32(at + 16, true)).toBe(crc32(encodeNpy(zeros([0, 3]))));
  });
  test("may have names from the prototype", () => {
    const tensors = decodeNpz(encodeNpz(Object.fromEntries([["__proto__", tensor(1)]])));
    expect(Object.keys(tensors)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(tensors)).toBe(Object.prototype);
  });
});

describe("hostile npy bytes are ERR_FORMAT", () => {
  test.each([
    ["nothing", new Uint8Array(), "not an npy file"],
    ["another file", new Uint8Array(64), "not an npy file; expected bytes that start with \\x93NUMPY"],
    ["a version 4", file(header("'<f4'", "()"), 4, 4), "an unknown version of npy; expected 1, 2 or 3, got 4"],
    ["a cut header", f4("()", 4).subarray(0, 20), "cut off in its header"],
    ["a header of 4 GB", file("", 0, 2).map((byte, i) => (i > 7 && i < 12 ? 255 : byte)), "the header is too long"],
    ["no dict", file("[1, 2]\n"), "the header is not that of an array"],
    ["a key missing", file("{'descr': '<f4', 'shape': ()}\n"), "other keys than descr, fortran_order, shape"],
    ["a key twice", file("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}"), "occurs twice"],
    ["a key more", file(header("'<f4'", "()").replace("}", "'x': 1}")), "other keys than"],
    ["deep nesting", file(`${"(".repeat(60_000)}`), "nested more than 16 deep"],
    ["an expression", file(header("'<f4'", "(2 ** 31,)")), "a token was expected"],
    ["a call", file(header("__import__('os')", "()")), "a token was expected"],
    ["a name", file(header("foo", "()")), "foo was not expected"],
    ["text after it", file(`${header("'<f4'", "()").trim()} 1`), "something follows it"],
    ["a float as size", file(header("'<f4'", "(2.0,)")), "a token was expected"],
    ["a negative size", file(header("'<f4'", "(-2,)")), "a token was expected"],
    ["a boolean as size", file(header("'<f4'", "(True,)"), 4), "shape is no tuple of sizes"],
    ["a number as shape", file(header("'<f4'", "(2)"), 8), "shape is no tuple"],
    ["17 dimensions", file(header("'<f4'", `(${"1, ".repeat(17)})`), 4), "too many dimensions"],
    [
      "sizes beyond numbers",
      file(header("'<f4'", "(9007199254740991, 9007199254740991, 0)")),
      "the shape is too large",
    ],
    ["digits without end", file(header("'<f4'", `(${"9".repeat(400)},)`)), "a token was expected"],
    ["an order that is no boolean", file(header("'<f4'", "()", "0"), 4), "fortran_order is neither"],
    ["a type from the prototype", file(header("'<constructor'", "()"), 4), "an array of "],
    ["a type without an order", file(header("'|f4'", "()"), 4), "an array of floats of another size"],
    ["cut data", f4("(2,)", 7), "cut off; expected"],
    ["bytes left over", f4("(2,)", 9), "has bytes left over"],
    ["a shape far beyond the file", f4("(1000000000000,)", 8), "cut off; expected"],
    ["a boolean of 2", file(header("'|b1'", "(1,)"), Uint8Array.of(2)), "a boolean is neither 0 nor 1; got 2"],
    ["bad UTF-8", file("{'descr\u00ff': 1}", 0, 3).map((byte, i) => (i === 18 ? 0xff : byte)), "the header is not"],
  ])("%s", (_, bytes, message) => {
    expect(() => decodeNpy(bytes)).toThrowError(expect.objectContaining({ name: "NablaError", code: "ERR_FORMAT" }));
    expect(() => decodeNpy(bytes)).toThrowError(message);
  });
  test("a uint64 that int64 does not hold is ERR_DTYPE", () => {
    const bytes = file(header("'<u8'", "(1,)"), new Uint8Array(8).fill(255));
    expect(() => decodeNpy(bytes)).toThrowError(expect.objectContaining({ code: "ERR_DTYPE", op: "decodeNpy" }));
  });
  test("any bytes are decoded or refused with a NablaError", () => {
    const good = [
      encodeNpy(tensor([1, 2])),
      encodeNpz({ a: tensor([1, 2]), b: tensor([true]) }, { compress: true }),
      encodeNpz({ a: tensor([1, 2]) }),
    ];
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.nat(2), changes, fc.nat(), (which, edits, cut) => {
        const bytes = good[which]!.slice();
        for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
        const decode = which === 0 ? decodeNpy : decodeNpz;
        for (const input of [bytes, bytes.subarray(0, cut % bytes.length)])
          try {
            decode(input);
          } catch (error) {
            expect(error).toBeInstanceOf(NablaError);
            expect(["ERR_FORMAT", "ERR_DTYPE"]).toContain((error as NablaError).code);
          }
      }),
      { numRuns: 2_000 },
    );
  });
});

/** The position of a signature in a zip file. */
const find = (bytes: Uint8Array, ...signature: number[]): number =>
  Buffer.from(bytes).indexOf(Buffer.from([0x50, 0x4b, ...signature]));
const edited = (bytes: Uint8Array, edit: (bytes: Uint8Array, view: DataView) => void): Uint8Array => {
  const copy = bytes.slice();
  edit(copy, new DataView(copy.buffer));
  return copy;
};

describe("hostile npz bytes are ERR_FORMAT", () => {
  const two = encodeNpz({ aa: tensor([1, 2]), bb: tensor([3, 4]) });
  const central = find(two, 1, 2);
  const second = central + 46 + 6;
  const end = find(two, 5, 6);
  const packed = encodeNpz({ x: zeros([1000]) }, { compress: true });
  test.each([
    ["nothing", new Uint8Array(), "not an npz file"],
    ["no directory", new Uint8Array(100), "not an npz file"],
    ["a cut file", two.subarray(0, two.length - 1), "not an npz file"],
    [
      "a directory outside",
      edited(two, (_, v) => v.setUint32(end + 16, 0xffff_fff0, true)),
      "the end of the directory is damaged",
    ],
    ["more members than the directory has", edited(two, (_, v) => v.setUint16(end + 10, 3, true)), "damaged"],
    ["fewer members", edited(two, (_, v) => v.setUint16(end + 10, 1, true)), "the directory has bytes left over"],
    [
      "zip64 without a locator",
      edited(two, (_, v) => v.setUint16(end + 10, 0xffff, true)),
      "the end of the directory is damaged",
    ],
    [
      "zip64 sizes without the field",
      edited(two, (_, v) => v.setUint32(central + 24, 0xffff_ffff, true)),
      "are damaged",
    ],
    [
      "a name twice",
      edited(two, (b) => b.set(b.subarray(central + 46, central + 52), second + 46)),
      'the member "aa.npy" occurs twice',
    ],
    ["two members in one place", edited(two, (_, v) => v.setUint32(second + 42, 0, true)), "disagree"],
    ["a member outside", edited(two, (_, v) => v.setUint32(second + 42, 0x7fff_ffff, true)), "disagree"],
    ["another name inside", edited(two, (b) => b.set([0x63], 30)), "disagree"],
    [
      "another kind of compression",
      edited(two, (_, v) => v.setUint16(central + 10, 12, true)),
      "compressed otherwise than by deflate",
    ],
    ["encryption", edited(two, (_, v) => v.setUint16(central + 8, 1, true)), "is encrypted"],
    ["stored sizes that differ", edited(two, (_, v) => v.setUint32(central + 24, 5, true)), "differ"],
    [
      "a size beyond deflate",
      edited(packed, (_, v) => v.setUint32(find(packed, 1, 2) + 24, 0xffff_fff0, true)),
      "larger than deflate can make it",
    ],
    [
      "a size that the array does not have",
      edited(packed, (_, v) => v.setUint32(find(packed, 1, 2) + 24, 5000, true)),
      "has bytes left over",
    ],
    [
      "a member that is no array",
      edited(two, (b) => [36 - 2, central + 46 + 5].forEach((at) => b.set([0x78], at === 34 ? 35 : at))),
      "a member is no array",
    ],
    ["a changed element", edited(two, (b) => b.set([9], central - 1)), "differs from its checksum"],
    ["damaged deflate", edited(packed, (b) => b.set([255, 255], find(packed, 1, 2) - 6)), "damaged"],
  ])("%s", (_, bytes, message) => {
    expect(() => decodeNpz(bytes)).toThrowError(expect.objectContaining({ name: "NablaError", code: "ERR_FORMAT" }));
    expect(() => decodeNpz(bytes)).toThrowError(message);
  });

  test("a bomb is refused by the size that its array states, before it is inflated", () => {
    const x = encodeNpz({ x: zeros([8]) }, { compress: true });
    const bomb = deflateRawSync(Buffer.concat([encodeNpy(zeros([8])), Buffer.alloc(2 ** 26)]));
    const at = find(x, 1, 2);
    const bytes = new Uint8Array(Buffer.concat([x.subarray(0, 35), bomb, x.subarray(at)]));
    const view = new DataView(bytes.buffer);
    const moved = 35 + bomb.length;
    view.setUint32(moved + 20, bomb.length, true);
    view.setUint32(find(bytes, 5, 6) + 16, moved, true);
    // The directory states the array's size, or the size of what comes out.
    expect(() => decodeNpz(bytes)).toThrowError("expected 160 bytes, got more");
    view.setUint32(moved + 24, 160 + 2 ** 26, true);
    expect(() => decodeNpz(bytes)).toThrowError("has bytes left over");
  });
});

describe("files", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "nabla-npy-"));
  });
  afterEach(() => rm(dir, { recursive: true }));

  test("are written and read", async () => {
    for (const [i, [name, x]] of Object.entries(everything()).entries()) {
      const path = join(dir, `${i}.npy`);
      await saveNpy(path, x);
      for (const map of [false, true])
        expect([name, ...plain(await loadNpy(path, { map }))]).toEqual([name, ...plain(x)]);
    }
    const path = join(dir, "all.npz");
    for (const compress of [false, true]) {
      await saveNpz(path, everything(), { compress });
      expect(Object.keys(await loadNpz(path))).toEqual(Object.keys(everything()));
    }
  });

  test("of NumPy are mapped, whatever their order", async () => {
    const path = join(dir, "x.npy");
    for (const { file, shape, values: wanted } of golden.arrays) {
      await writeFile(path, bytesOf(file));
      const x = await loadNpy(path, { map: true });
      expect(x.shape).toEqual(shape);
      expect(values(x.contiguous())).toEqual(numbers(wanted));
    }
  });

  test("that are large are mapped without memory of their own, and writes stay here", async () => {
    const path = join(dir, "x.npy");
    const x = arange(2 ** 20);
    await saveNpy(path, x);
    const before = memory().liveBytes;
    const mapped = await loadNpy(path, { map: true });
    expect(memory().liveBytes - before).toBeLessThan(2 ** 16);
    expect(mapped.add(1).at(-1).item()).toBe(2 ** 20);
    mapped.assign(mapped.mul(0));
    expect(mapped.sum().item()).toBe(0);
    expect((await loadNpy(path)).at(-1).item()).toBe(2 ** 20 - 1);
  });

  test("that end while they are read, and what is no file, are refused", async () => {
    const path = join(dir, "x.npy");
    await saveNpy(path, arange(100));
    await truncate(path, 200);
    for (const map of [false, true])
      await expect(loadNpy(path, { map })).rejects.toThrowError(
        expect.objectContaining({ code: "ERR_FORMAT", op: "loadNpy" }),
      );
    const refused = (op: string) => expect.objectContaining({ name: "NablaError", code: "ERR_ARGUMENT", op });
    await expect(loadNpy(dir)).rejects.toThrowError(refused("loadNpy"));
    await expect(loadNpz(dir)).rejects.toThrowError(refused("loadNpz"));
    await expect(loadNpy(join(dir, "missing"))).rejects.toThrowError(expect.objectContaining({ code: "ENOENT" }));
    if (process.platform === "win32") return;
    execFileSync("mkfifo", [join(dir, "fifo")]);
    for (const load of [loadNpy, loadNpz])
      await expect(load(join(dir, "fifo"))).rejects.toThrowError(refused(load.name));
    await expect(saveNpy(join(dir, "fifo"), tensor(1))).rejects.toThrowError(refused("saveNpy"));
    await expect(saveNpz(join(dir, "fifo"), { x: tensor(1) })).rejects.toThrowError(refused("saveNpz"));
  });
});

test("dtypes that npy has come back as they are", () => {
  for (const dtype of ["bool", "uint8", "int32", "int64", "float16", "float32", "float64"] as DType[])
    expect(decodeNpy(encodeNpy(zeros([2], { dtype }))).dtype).toBe(dtype);
});
