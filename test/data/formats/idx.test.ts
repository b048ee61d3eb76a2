import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { decodeIdx, type IdxData, loadIdx, NablaError } from "nabla";
import { describe, expect, test } from "vitest";

const types = [
  { code: 0x08, array: Uint8Array, set: "setUint8" },
  { code: 0x09, array: Int8Array, set: "setInt8" },
  { code: 0x0b, array: Int16Array, set: "setInt16" },
  { code: 0x0c, array: Int32Array, set: "setInt32" },
  { code: 0x0d, array: Float32Array, set: "setFloat32" },
  { code: 0x0e, array: Float64Array, set: "setFloat64" },
] as const;

function encode(code: number, shape: readonly number[], data: IdxData, set: (typeof types)[number]["set"]): Uint8Array {
  const start = 4 + 4 * shape.length;
  const bytes = new Uint8Array(start + data.byteLength);
  const view = new DataView(bytes.buffer);
  bytes.set([0, 0, code, shape.length]);
  shape.forEach((length, axis) => {
    view.setUint32(4 + 4 * axis, length);
  });
  data.forEach((value, i) => {
    view[set](start + i * data.BYTES_PER_ELEMENT, value);
  });
  return bytes;
}

const digits = encode(
  0x08,
  [2, 2, 3],
  Uint8Array.from({ length: 12 }, (_, i) => 20 * i),
  "setUint8",
);

describe("every element type comes back, plain and gzipped", () => {
  test.each(types)("$array.name", ({ code, array, set }) => {
    const data = array.from([1, -2, 3.5, 100, 0, -7]);
    const bytes = encode(code, [3, 2], data, set);
    expect(decodeIdx(bytes)).toEqual({ shape: [3, 2], data });
    expect(decodeIdx(gzipSync(bytes))).toEqual({ shape: [3, 2], data });
  });

  test("bytes that lie unaligned in a larger buffer", () => {
    const data = Float64Array.of(0.5, -1e300);
    const bytes = encode(0x0e, [2], data, "setFloat64");
    const larger = new Uint8Array(bytes.length + 8);
    larger.set(bytes, 3);
    expect(decodeIdx(larger.subarray(3, 3 + bytes.length)).data).toEqual(data);
  });

  test("rank 0 and an axis of length 0", () => {
    expect(decodeIdx(Uint8Array.of(0, 0, 8, 0, 9))).toEqual({ shape: [], data: Uint8Array.of(9) });
    expect(decodeIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 0))).toEqual({ shape: [0], data: Uint8Array.of() });
  });

  test("the input is left as it was", () => {
    const bytes = encode(0x0c, [2], Int32Array.of(1, 2), "setInt32");
    const before = bytes.slice();
    decodeIdx(bytes);
    expect(bytes).toEqual(before);
  });
});

describe("malformed bytes are ERR_FORMAT that says what was expected and got", () => {
  const gzipped = gzipSync(digits);
  const corrupt = gzipped.map((byte, i) => (i === gzipped.length - 6 ? byte ^ 0xff : byte));
  test.each([
    ["nothing", new Uint8Array(), "too short for a header; expected at least 4 bytes, got 0 bytes"],
    ["a wrong magic number", Uint8Array.of(1, 0, 8, 1, 0), "not an IDX file; expected a magic number 00 00 TYPE RANK"],
    ["an unknown type", Uint8Array.of(0, 0, 10, 1, 0), "got 00 00 0a 01"],
    ["a cut header", digits.subarray(0, 9), "cut off in its header; expected 16 bytes, got 9 bytes"],
    ["cut data", digits.subarray(0, 20), "cut off; expected 28 bytes for uint8 [2, 2, 3], got 20 bytes"],
    [
      "bytes left over",
      Uint8Array.of(...digits, 0),
      "has bytes left over; expected 28 bytes for uint8 [2, 2, 3], got 29",
    ],
    ["sizes beyond memory", Uint8Array.of(0, 0, 14, 2, 255, 255, 255, 255, 255, 255, 255, 255), "cut off; expected"],
    [
      "a cut gzip",
      gzipped.subarray(0, 20),
      "corrupt gzip; expected a complete gzip stream, got unexpected end of file",
    ],
    ["a gzip with a wrong checksum", corrupt, "corrupt gzip"],
  ])("%s", (_, bytes, message) => {
    expect(() => decodeIdx(bytes, "digits")).toThrowError(message);
    expect(() => decodeIdx(bytes, "digits")).toThrowError(/^decodeIdx: digits: /);
    expect(() => decodeIdx(bytes)).toThrowError(expect.objectContaining({ code: "ERR_FORMAT", op: "decodeIdx" }));
  });

  test("any other bytes either decode whole or are refused", () => {
    const header = fc.tuple(fc.constantFrom(0, 0, 0, 1), fc.constantFrom(0, 8, 9, 11, 13, 14, 15), fc.nat(4));
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 60 }), fc.boolean(), ([zero, type, rank], rest, zip) => {
        const bytes = Uint8Array.of(zero, 0, type, rank, ...rest.map((byte, i) => (i % 4 === 3 ? byte % 4 : 0)));
        try {
          const { shape, data } = decodeIdx(zip ? gzipSync(bytes) : bytes);
          expect(data).toHaveLength(shape.reduce((a, b) => a * b, 1));
          expect(data.byteLength).toBe(bytes.length - 4 - 4 * rank);
        } catch (error) {
          if (!(error instanceof NablaError)) throw error;
          expect(error.code).toBe("ERR_FORMAT");
        }
      }),
      { numRuns: 500 },
    );
  });
});

test("a missing file stays Node's error", async () => {
  await expect(loadIdx("no-such-file")).rejects.toMatchObject({ code: "ENOENT" });
});
