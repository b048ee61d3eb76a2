import { type EncodeOptions, parseCsv, Table, type TableEncoder } from "nabla";
import { describe, expect, test } from "vitest";

const houses = parseCsv("city,rooms,price\nRome,3,500\nOslo,,700\nRome,1,300\nParis,2,400\n");

describe("a table is encoded", () => {
  test("numbers with mean 0 and standard deviation 1, text as a column for each category", () => {
    const { x, y, names, encoder } = houses.encode({ target: "price", missing: "median" });
    expect(names).toEqual(["city=Rome", "city=Oslo", "city=Paris", "rooms"]);
    const std = Math.sqrt(0.5);
    const rooms = [3, 2, 1, 2].map((n) => Math.fround((n - 2) / std));
    expect(x.dtype).toBe("float32");
    expect(x.toArray()).toEqual([
      [1, 0, 0, rooms[0]],
      [0, 1, 0, 0],
      [1, 0, 0, rooms[2]],
      [0, 0, 1, 0],
    ]);
    expect(y?.toArray()).toEqual([[500], [700], [300], [400]]);
    expect(encoder.features[1]).toEqual({ name: "rooms", kind: "number", fill: 2, mean: 2, std });
  });

  test("a column of text as a target gives indices", () => {
    const { x, y, encoder } = houses.encode({ target: "city", numeric: "none", missing: "mean" });
    expect([y?.dtype, y?.toArray()]).toEqual(["int32", [0, 1, 0, 2]]);
    expect(encoder.target).toEqual({ name: "city", categories: ["Rome", "Oslo", "Paris"] });
    expect(x.toArray()).toEqual([
      [3, 500],
      [2, 700],
      [1, 300],
      [2, 400],
    ]);
  });

  test("without a target y is null; text may be dropped", () => {
    const { x, y, names } = houses.encode({ missing: "mean", text: "drop", numeric: "none" });
    expect([y, names, x.shape]).toEqual([null, ["rooms", "price"], [4, 2]]);
  });

  test("a constant column gives 0, and so does one without values", () => {
    const table = parseCsv("a,b\n5,\n5,\n");
    expect(table.encode({ missing: "mean" }).x.toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test("by the encoder of another table, also after JSON", () => {
    const { encoder } = houses.encode({ target: "price", missing: "median" });
    const kept = JSON.parse(JSON.stringify(encoder)) as TableEncoder;
    const request = Table.from([
      { rooms: 1, city: "Oslo" },
      { rooms: null, city: "Atlantis" },
      { rooms: 3, city: null },
    ]);
    const { x, y, encoder: same } = request.encode({ encoder: kept });
    const third = Math.fround(-1 / Math.sqrt(0.5));
    expect(x.toArray()).toEqual([
      [0, 1, 0, third],
      [0, 0, 0, 0],
      [0, 0, 0, -third],
    ]);
    expect(y).toBeNull();
    expect(same).toEqual(encoder);
    expect(houses.encode({ encoder: kept }).x.toArray()).toEqual(
      houses.encode({ target: "price", missing: "median" }).x.toArray(),
    );
    expect(houses.encode({ encoder: kept }).y?.toArray()).toEqual([[500], [700], [300], [400]]);
  });
});

describe("ERR_ARGUMENT says which row or column", () => {
  const { encoder } = houses.encode({ target: "city", missing: "median" });
  const strict = parseCsv("city,rooms\nRome,3\n").encode({ target: "rooms" }).encoder;
  test.each<[string, Table, EncodeOptions, string]>([
    ["a missing number", houses, {}, 'row 1 has no "rooms"'],
    ["missing text", parseCsv('a\nx\n""\n'), {}, 'row 1 has no "a"'],
    ["missing text for an encoder", Table.from([{ city: null }]), { encoder: strict }, 'row 0 has no "city"'],
    ["a missing target", houses, { target: "rooms", missing: "mean" }, 'row 1 has no target "rooms"'],
    ["an unknown target", houses, { target: "size" }, "no such column; expected city, rooms, price"],
    ["a column missing", Table.from([{ rooms: 1 }]), { encoder }, 'no such column; expected rooms, got "price"'],
    [
      "a column of another kind",
      Table.from([{ rooms: "many", price: 1 }]),
      { encoder },
      'column "rooms" is of another kind',
    ],
    [
      "a new category as target",
      Table.from([{ rooms: 1, price: 1, city: "Bern" }]),
      { encoder },
      "the target of row 0 is a new category",
    ],
    ["an infinite mean", parseCsv("a\ninf\n1\n"), {}, 'column "a" has no finite mean'],
    [
      "an unknown way",
      houses,
      { missing: "mode" as never },
      'missing is not valid; expected "median", "mean" or "error"',
    ],
    [
      "an encoder and a target",
      houses,
      { encoder, target: "city" },
      "the option encoder is not valid; expected no other",
    ],
    [
      "an encoder of another kind",
      houses,
      { encoder: { features: [{ name: "a", kind: "number" }] } as never },
      "the encoder is not valid",
    ],
    ["an encoder without a target", houses, { encoder: { features: [] } as never }, "the encoder is not valid"],
  ])("%s", (_, table, options, message) => {
    expect(() => table.encode(options)).toThrowError(expect.objectContaining({ code: "ERR_ARGUMENT" }));
    expect(() => table.encode(options)).toThrowError(message);
  });
});

describe("a table of objects", () => {
  test("has all their keys, and null where one lacks a key", () => {
    const table = Table.from([{ a: 1, b: "x" }, { a: true }, { b: 5, c: undefined }]);
    expect([...Array(3).keys()].map((i) => table.at(i))).toEqual([
      { a: 1, b: "x", c: null },
      { a: 1, b: null, c: null },
      { a: null, b: "5", c: null },
    ]);
  });
  test.each([3, null, [3], [[1]], [new Date()], [{ a: {} }], [{ a: 1n }], [null], [undefined]])(
    "%o is ERR_ARGUMENT",
    (value) => {
      expect(() => Table.from(value as never)).toThrowError(
        expect.objectContaining({ code: "ERR_ARGUMENT", op: "Table.from" }),
      );
    },
  );
  test("without such a row is ERR_INDEX", () => {
    for (const i of [4, -5, 0.5, "0", null])
      expect(() => houses.at(i as never)).toThrowError(expect.objectContaining({ code: "ERR_INDEX" }));
  });
});
