import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import {
  arange,
  attach,
  type DType,
  decodeSafetensors,
  decodeSafetensorsMetadata,
  encodeSafetensors,
  loadSafetensors,
  memory,
  NablaError,
  ones,
  saveSafetensors,
  type Tensor,
  tensor,
} from "nabla";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const plain = (tensors: Record<string, Tensor>) =>
  Object.entries(tensors).map(([name, t]) => [name, t.dtype, t.shape, t.toTypedArray()]);

const one = (dtype: DType, data: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array) =>
  tensor(data, { dtype, shape: [data.length] });
const everything = (): Record<string, Tensor> => ({
  "a bool": one("bool", Uint8Array.of(1, 0, 1)),
  "layer.0.weight": tensor([
    [1.5, -2],
    [3, Number.POSITIVE_INFINITY],
  ]),
  f64: one("float64", Float64Array.of(Math.PI, -0, 5e-324)),
  i32: one("int32", Int32Array.of(-(2 ** 31), 2 ** 31 - 1)),
  i64: one("int64", BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)),
  u8: one("uint8", Uint8Array.of(0, 255)),
  "∇ and ∂": tensor(7),
  empty: tensor(new Float32Array(0), { shape: [0, 3] }),
});

/** A file made by hand: header text, then data. */
function file(header: unknown, data: Uint8Array | number = 0): Uint8Array {
  const json = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const body = typeof data === "number" ? new Uint8Array(data) : data;
  const bytes = new Uint8Array(8 + json.length + body.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(body, 8 + json.length);
  return bytes;
}
const f32 = (shape: unknown, begin: unknown, end: unknown) => ({ dtype: "F32", shape, data_offsets: [begin, end] });

describe("bytes", () => {
  test("bring back every dtype, shape, name and order", () => {
    expect(plain(decodeSafetensors(encodeSafetensors(everything())))).toEqual(plain(everything()));
  });

  test("keep metadata", () => {
    const metadata = { epoch: "3", "": "∇" };
    expect(decodeSafetensorsMetadata(encodeSafetensors(everything(), { metadata }))).toEqual(metadata);
    expect(decodeSafetensorsMetadata(encodeSafetensors({}))).toEqual({});
  });

  test("place every tensor at a multiple of its element size", () => {
    const bytes = encodeSafetensors(everything());
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    const sizes: Record<string, number> = { F64: 8, I64: 8, F32: 4, I32: 4, U8: 1, BOOL: 1 };
    for (const { dtype, data_offsets } of Object.values<{ dtype: string; data_offsets: number[] }>(header)) {
      expect((8 + length + (data_offsets[0] ?? Number.NaN)) % (sizes[dtype] ?? Number.NaN)).toBe(0);
    }
  });

  test("of a file laid out otherwise are read, also unaligned", () => {
    const data = new Uint8Array(14);
    new DataView(data.buffer).setFloat64(1, 0.25, true);
    new DataView(data.buffer).setFloat32(10, -3, true);
    data.set([1, 0], 0);
    const header = {
      b: { dtype: "F64", shape: [1], data_offsets: [1, 9] },
      s: { dtype: "U8", shape: [], data_offsets: [9, 10] },
      a: { dtype: "BOOL", shape: [1, 1], data_offsets: [0, 1] },
      c: f32([1], 10, 14),
    };
    data[9] = 42;
    const larger = new Uint8Array(300);
    const bytes = file(`${JSON.stringify(header)}   `, data);
    larger.set(bytes, 5);
    const { a, b, c, s } = decodeSafetensors(larger.subarray(5, 5 + bytes.length));
    expect([a, b, c, s].map((t) => t?.toArray())).toEqual([[[true]], [0.25], [-3], 42]);
  });

  test("may name a tensor like a member of Object.prototype", () => {
    const tensors = decodeSafetensors(file('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1));
    expect(Object.keys(tensors)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(tensors)).toBe(Object.prototype);
  });
});

describe("hostile bytes are ERR_FORMAT", () => {
  const entry = (change: object) => file({ w: { ...f32([2], 0, 8), ...change } }, 8);
  const huge = new Uint8Array(16);
  huge.fill(0xff, 0, 8);
  test.each([
    ["nothing", new Uint8Array(), "too short for safetensors; expected at least 8 bytes, got 0"],
    [
      "a header longer than the file",
      file({}).subarray(0, 9),
      "the header is longer than it can be; expected at most 1",
    ],
    ["a header of 2^64 bytes", huge, "expected at most 8 bytes, got 18446744073709551615"],
    ["an empty header", file(""), "a header that starts with {, got undefined"],
    ["an array for a header", file([]), "not safetensors; expected a header that starts with {, got 91"],
    ["a cut header", file('{"a":'), "the header is not JSON"],
    ["text after the header", file("{} {}"), "the header is not JSON"],
    ["bad UTF-8", file({}).map((byte, i) => (i === 9 ? 0xff : byte)), "the header is not JSON"],
    ["deep nesting", file(`{"a":${"[".repeat(200_000)}`), "the header is not JSON"],
    ["an entry that is null", file({ w: null }), 'tensor "w": bad entry; expected an object, got null'],
    ["an entry that is a list", file({ w: [] }), 'tensor "w": bad entry; expected an object, got []'],
    [
      "a dtype it does not have",
      entry({ dtype: "F8_E4M3" }),
      'tensor "w": bad dtype; expected F32, F64, BF16, F16, I32, I64, U8, BOOL',
    ],
    ["a dtype that is a number", entry({ dtype: 5 }), "bad dtype"],
    ["a dtype from the prototype", entry({ dtype: "constructor" }), "bad dtype"],
    ["a negative size", entry({ shape: [-2] }), "bad shape; expected an array of non-negative integers, got [-2]"],
    ["a fraction of a size", entry({ shape: [2.5] }), "bad shape"],
    ["a size as text", entry({ shape: ["2"] }), "bad shape"],
    ["no shape", entry({ shape: undefined }), "bad shape"],
    ["sizes beyond numbers", entry({ shape: [2 ** 52, 2 ** 52] }), "bad data_offsets"],
    ["one offset", entry({ data_offsets: [0] }), "bad data_offsets; expected [begin, end], got [0]"],
    ["a negative offset", entry({ data_offsets: [-8, 0] }), "bad data_offsets"],
    ["offsets the wrong way round", entry({ data_offsets: [8, 0] }), "expected 8 bytes for float32 [2], got -8"],
    ["fewer bytes than the shape", entry({ shape: [3] }), "expected 12 bytes for float32 [3], got 8"],
    ["offsets past the end", file({ w: f32([4], 0, 16) }, 8), "the data is cut off; expected 16 bytes, got 8"],
    ["bytes left over", file({ w: f32([1], 0, 4) }, 8), "the data has bytes left over; expected 4 bytes, got 8"],
    ["a hole", file({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), 'tensor "b" leaves a hole before it'],
    [
      "a hole at the start",
      file({ a: f32([1], 4, 8) }, 8),
      'tensor "a" leaves a hole before it; expected data_offsets from 0',
    ],
    ["an overlap", file({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12), 'tensor "b" overlaps the tensor before it'],
    ["two tensors in one place", file({ a: f32([1], 0, 4), b: f32([1], 0, 4) }, 4), 'tensor "b" overlaps'],
    [
      "a boolean of 2",
      file({ w: { dtype: "BOOL", shape: [1], data_offsets: [0, 1] } }, Uint8Array.of(2)),
      "bad boolean",
    ],
    ["metadata that is no text", file({ __metadata__: { epoch: 3 } }), "__metadata__ is not an object of strings"],
    [
      "a rank of 17",
      file({ w: { dtype: "U8", shape: new Array(17).fill(1), data_offsets: [0, 1] } }, 1),
      "at most 16 dimensions",
    ],
    [
      "sizes that overflow beside a 0",
      file({ w: { dtype: "U8", shape: [2 ** 52, 2 ** 52, 0], data_offsets: [0, 0] } }),
      "at most 2^50 elements",
    ],
    [
      "a name that occurs twice",
      file('{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
      'the name "w" occurs twice',
    ],
    [
      "a key that occurs twice",
      file('{"w":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
      "expected each key once",
    ],
    ["metadata that occurs twice", file('{"__metadata__":{},"__metadata__":{}}'), "occurs twice"],
    [
      "a note that occurs twice",
      file('{"__metadata__":{"a":"1","a":"2"}}'),
      "__metadata__ is not an object of strings",
    ],
    ["a size of 1.0", file('{"w":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}', 1), "bad shape"],
    ["a size of 1e0", file('{"w":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}', 1), "bad shape"],
    ["a size of -0", file('{"w":{"dtype":"U8","shape":[-0],"data_offsets":[0,0]}}'), "bad shape"],
    ["an offset of 1.0", file('{"w":{"dtype":"U8","shape":[1],"data_offsets":[0,1.0]}}', 1), "bad data_offsets"],
    [
      "half of a surrogate pair in a name",
      file('{"\\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'),
      "half of a surrogate pair",
    ],
    [
      "a long entry",
      file(`{"w":{"dtype":"U8","shape":[${"0,".repeat(40_000)}0],"data_offsets":[0,0]}}`),
      "at most 65536 characters",
    ],
    ["a comma at the end", file('{"__metadata__":{},}'), "a key was expected"],
    ["metadata that is a list", file({ __metadata__: ["a"] }), "__metadata__ is not an object of strings"],
  ])("%s", (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes)).toThrowError(message);
    expect(() => decodeSafetensors(bytes)).toThrowError(expect.objectContaining({ code: "ERR_FORMAT" }));
  });

  test("a name of many megabytes, cut in the message", () => {
    const bytes = file(`{"${"n".repeat(90_000_000)}":{}}`);
    expect(() => decodeSafetensors(bytes)).toThrowError(
      /^decodeSafetensors: bytes: tensor "n{60}…": bad dtype.{0,100}$/,
    );
  });

  test("a .pt file, with the line that converts it", () => {
    const zip = Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 8, 8, 0, 0);
    const pickle = Uint8Array.of(0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9);
    for (const bytes of [zip, pickle]) {
      expect(() => decodeSafetensors(bytes)).toThrowError(
        /a file of torch.save.*python3 -c "import torch, safetensors/,
      );
    }
  });

  test("any change of a good file is refused or gives tensors of the sizes it says", () => {
    const good = encodeSafetensors(everything(), { metadata: { a: "b" } });
    const edit = fc.record({
      at: fc.nat(good.length - 1),
      byte: fc.oneof(fc.nat(255), fc.constantFrom(...'{}[]",:0129'.split("").map((c) => c.charCodeAt(0)))),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), fc.nat(good.length), (edits, cut) => {
        const bytes = good.slice(0, cut % 5 === 0 ? cut : good.length);
        for (const { at, byte } of edits) bytes[at] = byte;
        try {
          for (const t of Object.values(decodeSafetensors(bytes))) {
            expect(t.toTypedArray()).toHaveLength(t.shape.reduce((a, b) => a * b, 1));
          }
        } catch (error) {
          if (!(error instanceof NablaError)) throw error;
          expect(error.code).toBe("ERR_FORMAT");
        }
      }),
      { numRuns: 1000 },
    );
  });
});

test.each([
  ["no tensors", undefined, undefined, "tensors must have names; expected an object of tensors, as model.stateDict()"],
  ["a bare tensor", tensor([1]), undefined, "tensors must have names"],
  ["a number", { w: 1 }, undefined, '"w" is not a tensor; expected a Tensor, got 1'],
  ["a reserved name", { __metadata__: tensor([1]) }, undefined, "a name is reserved"],
  ["metadata of numbers", {}, { metadata: { epoch: 3 } }, 'bad metadata "epoch"; expected a string, got 3'],
  ["an unknown option", {}, { meta: {} }, 'unknown option "meta"'],
])("%s cannot be encoded", (_, tensors, options, message) => {
  const encode = () => encodeSafetensors(tensors as never, options as never);
  expect(encode).toThrowError(expect.objectContaining({ code: "ERR_ARGUMENT", op: "encodeSafetensors" }));
  expect(encode).toThrowError(message);
});

describe("files", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "nabla-safetensors-"));
  });
  afterEach(() => rm(dir, { recursive: true }));

  test("bring back what was saved, by path and by URL", async () => {
    const path = join(dir, "weights.safetensors");
    await saveSafetensors(pathToFileURL(path), everything(), { metadata: { a: "b" } });
    expect(plain(await loadSafetensors(path))).toEqual(plain(everything()));
    expect(new Uint8Array(await readFile(path))).toEqual(encodeSafetensors(everything(), { metadata: { a: "b" } }));
  });

  describe("that are mapped", () => {
    const half = { h: tensor([1.5, -2], { dtype: "bfloat16" }), f16: tensor([0.25], { dtype: "float16" }) };

    test("bring back everything in order", async () => {
      const path = join(dir, "w");
      await saveSafetensors(path, { ...everything(), ...half });
      expect(plain(await loadSafetensors(path, { map: true }))).toEqual(plain({ ...everything(), ...half }));
    });

    test("take no memory of their own, and keep what is written to them to themselves", async () => {
      const path = join(dir, "w");
      await saveSafetensors(path, { a: ones([2 ** 20]), b: arange(3) });
      const before = memory().liveBytes;
      const { a, b } = (await loadSafetensors(path, { map: true })) as { a: Tensor; b: Tensor };
      expect(memory().liveBytes - before).toBeLessThan(2 ** 16);
      a.requiresGrad = true;
      const y = a.square().sum();
      // Each tensor has a version of its own: writing to one does not make the saved values of another stale.
      b.assign(7);
      y.backward();
      expect(a.grad?.at(5).item()).toBe(2);
      expect((await loadSafetensors(path)).b?.toArray()).toEqual([0, 1, 2]);
      expect(b.toArray()).toEqual([7, 7, 7]);
    });

    test("outlive their file, and other threads see them", async () => {
      const path = join(dir, "w");
      await saveSafetensors(path, { a: arange(5000) });
      const { a } = (await loadSafetensors(path, { map: true })) as { a: Tensor };
      await rm(path);
      const shared = attach(a.share());
      a.dispose();
      expect(shared.sum().item()).toBe((5000 * 4999) / 2);
    });

    test("are read where elements are not at a multiple of their size", async () => {
      const path = join(dir, "w");
      const data = new Uint8Array(13);
      new DataView(data.buffer).setFloat64(5, 0.25, true);
      const entries = {
        b: f32([1], 0, 4),
        c: { dtype: "U8", shape: [1], data_offsets: [4, 5] },
        a: { dtype: "F64", shape: [1], data_offsets: [5, 13] },
      };
      await writeFile(path, file(entries, data));
      const tensors = await loadSafetensors(path, { map: true });
      expect(Object.entries(tensors).map(([name, x]) => [name, x.toArray()])).toEqual([
        ["b", [0]],
        ["c", [0]],
        ["a", [0.25]],
      ]);
    });

    test("are refused as those that are read", async () => {
      const path = join(dir, "w");
      await writeFile(path, encodeSafetensors(everything()).subarray(0, -1));
      await expect(loadSafetensors(path, { map: true })).rejects.toThrowError("the data is cut off");
      const refused = expect.objectContaining({ code: "ERR_ARGUMENT", op: "loadSafetensors" });
      await expect(loadSafetensors(path, { map: 1 } as never)).rejects.toThrowError(refused);
    });
  });

  test("hold the values at the time of the call", async () => {
    const path = join(dir, "w");
    const w = tensor([1, 2]);
    const saved = saveSafetensors(path, { w });
    w.assign(9);
    await saved;
    expect((await loadSafetensors(path)).w?.toArray()).toEqual([1, 2]);
  });

  test("replace an older one and leave nothing beside it", async () => {
    const path = join(dir, "w");
    await saveSafetensors(path, { old: tensor([1, 2, 3]) });
    await saveSafetensors(path, { young: tensor([4]) });
    expect(Object.keys(await loadSafetensors(path))).toEqual(["young"]);
    expect(await readdir(dir)).toEqual(["w"]);
  });

  test("that cannot be put in place leave nothing behind", async () => {
    await mkdir(join(dir, "w", "full"), { recursive: true });
    await expect(saveSafetensors(join(dir, "w"), { a: tensor([1]) })).rejects.toMatchObject({ code: "ERR_ARGUMENT" });
    expect(await readdir(dir)).toEqual(["w"]);
    await expect(saveSafetensors(join(dir, "no", "w"), {})).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("that are cut, missing or of torch.save", async () => {
    const path = join(dir, "weights.pt");
    await writeFile(path, encodeSafetensors(everything()).subarray(0, -1));
    await expect(loadSafetensors(path)).rejects.toThrowError(`${path}: the data is cut off`);
    await writeFile(path, Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 8, 8));
    const converted = path.replace(".pt", ".safetensors");
    await expect(loadSafetensors(path)).rejects.toThrowError(
      `torch.load('${path}', weights_only=True), '${converted}')`,
    );
    await writeFile(path, "");
    await expect(loadSafetensors(path)).rejects.toThrowError("too short for safetensors");
    await expect(loadSafetensors(join(dir, "none"))).rejects.toMatchObject({ code: "ENOENT", name: "Error" });
  });
});
