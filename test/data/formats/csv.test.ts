import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { type CsvOptions, memory, NablaError, parseCsv, readCsv, type Table } from "nabla";
import { addon } from "nabla/internal";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const rows = (table: Table) => Array.from({ length: table.length }, (_, i) => table.at(i));
const parsed = (text: string | Uint8Array, options?: CsvOptions) => rows(parseCsv(text, options));
const column = (text: string, name: string, options?: CsvOptions) => {
  const found = parseCsv(text, options).column(name);
  return found.kind === "number" ? [...found.values] : [...found.codes].map((code) => found.categories[code] ?? null);
};

describe("a table", () => {
  test("has columns of numbers and of text, as their values say", () => {
    const table = parseCsv("city,rooms,price\nRome,3,500.5\nOslo,1,-7e2\n");
    expect(table.names).toEqual(["city", "rooms", "price"]);
    expect(table.length).toBe(2);
    expect(table.column("rooms")).toEqual({ kind: "number", values: Float64Array.of(3, 1) });
    expect(table.column("city")).toEqual({ kind: "text", categories: ["Rome", "Oslo"], codes: Int32Array.of(0, 1) });
    expect(rows(table)).toEqual([
      { city: "Rome", rooms: 3, price: 500.5 },
      { city: "Oslo", rooms: 1, price: -700 },
    ]);
    expect(table.at(-1)).toEqual(table.at(1));
  });

  test.each([
    ["quotes, doubled quotes, delimiters and line breaks inside", 'a,b\n"x, ""y""\nz",1\n', [{ a: 'x, "y"\nz', b: 1 }]],
    ["quoted numbers", 'a\n"1.5"\n"2"', [{ a: 1.5 }, { a: 2 }]],
    ["a quote inside plain text", 'a\n5" tall\n6"" wide', [{ a: '5" tall' }, { a: '6"" wide' }]],
    [
      "CR LF, and no line break at the end",
      'a,b\r\n1,"x"\r\n2,y',
      [
        { a: 1, b: "x" },
        { a: 2, b: "y" },
      ],
    ],
    ["empty lines", "\n\na\n\n1\r\n\r\n2\n\n", [{ a: 1 }, { a: 2 }]],
    ["a byte order mark", "\ufeffa\n1\n", [{ a: 1 }]],
    ["an empty last field", "a,b\n1,\n", [{ a: 1, b: null }]],
    ["spaces around numbers", "a,b\n 1 ,2\n", [{ a: 1, b: 2 }]],
    [
      "other scripts",
      "città\nMünchen\n東京\n🙂 a text that is longer than thirty-two bytes\n",
      [{ città: "München" }, { città: "東京" }, { città: "🙂 a text that is longer than thirty-two bytes" }],
    ],
    ["a header alone", "a,b\n", []],
    ["a name from the prototype", "__proto__\n1\n", [Object.fromEntries([["__proto__", 1]])]],
  ])("reads %s", (_, text, expected) => expect(parsed(text)).toEqual(expected));

  test("reads bytes as it reads text, wherever they lie", () => {
    const bytes = new TextEncoder().encode("xxa,b\n1.5,ü\n").subarray(2);
    expect(parsed(bytes)).toEqual([{ a: 1.5, b: "ü" }]);
  });

  test("has NaN and null for what is missing, and a column of nothing else is numbers", () => {
    const text = "a,b,c\n,NA,\n1,x,null\nNaN,,\n";
    expect(parsed(text)).toEqual([
      { a: null, b: null, c: null },
      { a: 1, b: "x", c: null },
      { a: null, b: null, c: null },
    ]);
    expect(parseCsv(text).column("c").kind).toBe("number");
    expect(column("a\n?\n1\n", "a", { missing: ["?"] })).toEqual([Number.NaN, 1]);
    expect(column("a\nNA\nx\n", "a", { missing: [] })).toEqual(["NA", "x"]);
  });

  test("becomes text where one value is no number, as it was written", () => {
    expect(column("a\n1.50\n007\n1e3\nx\n", "a")).toEqual(["1.50", "007", "1e3", "x"]);
    for (const odd of ["0x10", "1_000", "1,5", "1e", "e1", "--1", "1-", ".", "+", "1.2.3", "Infinity1", "１"])
      expect(parseCsv(`a\n1\n"${odd}"\n`).column("a").kind).toBe("text");
  });

  test("takes options", () => {
    expect(parsed("1;2\n", { delimiter: ";", header: false })).toEqual([{ 0: 1, 1: 2 }]);
    expect(parsed("1\t2\n", { delimiter: "\t", header: false, names: ["x", "y"] })).toEqual([{ x: 1, y: 2 }]);
    expect(parsed("a,b\n1,2\n", { names: ["x", "y"] })).toEqual([{ x: 1, y: 2 }]);
    expect(parsed("zip\n01234\n", { types: { zip: "text" } })).toEqual([{ zip: "01234" }]);
  });
});

test("numbers are those that JavaScript reads", () => {
  const texts = [
    "0",
    "-0",
    "+1",
    "00012",
    ".5",
    "5.",
    "1e5",
    "1E+05",
    "-1.5e-7",
    "123456789012345",
    "1234567890123456",
    "9007199254740993",
    "0.1234567890123456789",
    "1.7976931348623157e308",
    "1e309",
    "5e-324",
    "1e-400",
    "0.000000000000000000000001",
    "2.2250738585072011e-308",
    "inf",
    "-Infinity",
    `1${"0".repeat(350)}`,
    "123456.789012345678",
  ];
  const special = new Map([
    ["inf", Infinity],
    ["-Infinity", -Infinity],
  ]);
  expect(column(`a\n${texts.join("\n")}`, "a")).toEqual(texts.map((text) => special.get(text) ?? Number(text)));
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.double({ noNaN: true }), fc.integer(), fc.float({ noNaN: true })), { minLength: 1 }),
      fc.nat(25),
      (values, digits) => {
        const finite = values.filter(Number.isFinite);
        for (const write of [
          String,
          (x: number) => x.toExponential(Math.min(digits, 20)),
          (x: number) => (Math.abs(x) < 1e20 ? x.toFixed(Math.min(digits, 20)) : String(x)),
        ]) {
          const lines = finite.map(write);
          expect(column(`a\n0\n${lines.join("\n")}`, "a")).toEqual([0, ...lines.map(Number)]);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test("what was written is read: any text, quoted", () => {
  const field = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", "é", " ", "1", ".") });
  const table = fc.array(fc.tuple(field, field), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(table, (cells) => {
      const quoted = cells.map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(",")).join("\r\n");
      const types = { a: "text", b: "text" } as const;
      expect(parsed(`a,b\n${quoted}`, { types, missing: [] })).toEqual(cells.map(([a, b]) => ({ a, b })));
    }),
    { numRuns: 1000 },
  );
});

test("columns of text take no memory for numbers", () => {
  const bytes = Buffer.alloc(2 ** 24, `${"x,".repeat(15)}1\n`);
  const before = memory();
  addon.resetPeak();
  const table = parseCsv(bytes, { header: false });
  expect(table.length).toBe(2 ** 19);
  // One column of float64 and fifteen of codes.
  expect(memory().peakBytes - before.liveBytes).toBeLessThan(2 ** 19 * (8 + 15 * 4) + 2 ** 20);
});

describe("hostile text is ERR_FORMAT, with its line", () => {
  test.each([
    ["nothing", "", "line 1: there is no row"],
    ["empty lines alone", "\n\r\n", "there is no row"],
    ["a short row", "a,b\n1,2\n3\n", "line 3: a row of another length; expected 2 fields, got 1"],
    ["a long row", "a,b\n1,2,3\n", "line 2: a row of another length; expected 2 fields, got 3"],
    ["a short row after lines in quotes", 'a,b\n"x\n\ny",2\n3\n', "line 5: a row of another length"],
    ["an open quote", 'a\n1\n"x\n2\n', "line 3: a quote is opened and never closed"],
    ["an open quote in the header", '"a', "line 1: a quote is opened and never closed"],
    ["text behind a quote", 'a\n"x"y\n', "line 2: text follows a quoted field"],
    ["a name twice", "a,a\n", 'two columns are called "a"'],
    ["UTF-16", Uint8Array.of(0xff, 0xfe, 0x61, 0), "the text is UTF-16; expected UTF-8"],
    ["Latin-1", Uint8Array.of(0x61, 0x0a, 0xe9), "the text is not UTF-8"],
  ])("%s", (_, text, message) => {
    const refused = expect.objectContaining({ name: "NablaError", code: "ERR_FORMAT", op: "parseCsv" });
    expect(() => parseCsv(text)).toThrowError(refused);
    expect(() => parseCsv(text)).toThrowError(message);
  });

  test("text in a column of numbers", () => {
    expect(() => parseCsv("a\n1\nx\n", { types: { a: "number" } })).toThrowError(
      'line 3: "a" is no number; expected a number, got "x"',
    );
  });

  test("a quote that stays open to the end of a long file is found in time", () => {
    const bytes = Buffer.alloc(2 ** 26, 'x,"",\n');
    bytes.write('a\n"');
    const start = performance.now();
    expect(() => parseCsv(bytes)).toThrowError(expect.objectContaining({ code: "ERR_FORMAT" }));
    expect(performance.now() - start).toBeLessThan(5_000);
  });

  test("any bytes are a table or a NablaError", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0x22, 0x2c, 0x0a, 0x0d, 0x31, 0x2e, 0x65, 0x61, 0xc3, 0xa9, 0)), (bytes) => {
        try {
          const table = parseCsv(Uint8Array.from(bytes));
          expect(rows(table)).toHaveLength(table.length);
        } catch (error) {
          if (!(error instanceof NablaError)) throw error;
          expect(error.code).toBe("ERR_FORMAT");
        }
      }),
      { numRuns: 3000 },
    );
  });
});

test.each([
  [3, undefined, "the text is not valid; expected a string or a Uint8Array"],
  ["a", { delimiter: "ab" }, "the delimiter is not valid"],
  ["a", { delimiter: '"' }, "the delimiter is not valid"],
  ["a", { delimiter: "é" }, "the delimiter is not valid"],
  ["a", { header: 1 }, "header is not valid"],
  ["a", { names: ["x", "y"] }, "names is not valid; expected 1 names"],
  ["a", { names: [1] }, "names is not valid; expected strings"],
  ["a", { missing: "NA" }, "missing must be an array"],
  ["a", { types: { a: "int" } }, 'the type of "a" is not valid; expected "number" or "text"'],
  ["a", { types: { b: "text" } }, "types is not valid; expected names of columns: a"],
  ["a", { types: [] }, "types is not valid"],
  ["a", { separator: ";" }, 'unknown option "separator"'],
])("%j with %j is ERR_ARGUMENT", (text, options, message) => {
  const parse = () => parseCsv(text as never, options as never);
  expect(parse).toThrowError(expect.objectContaining({ code: "ERR_ARGUMENT", op: "parseCsv" }));
  expect(parse).toThrowError(message);
});

describe("a file", () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "nabla-csv-"));
  });
  afterEach(() => rm(dir, { recursive: true }));

  test("is read while the event loop runs", async () => {
    const path = join(dir, "x.csv");
    const lines = Array.from({ length: 400_000 }, (_, i) => `${i},${i / 7},${i % 3 ? "x" : "y"}`);
    await writeFile(path, `a,b,c\n${lines.join("\n")}`);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const table = await readCsv(path);
    clearInterval(timer);
    expect(table.length).toBe(400_000);
    expect(table.at(399_999)).toEqual({ a: 399_999, b: 399_999 / 7, c: "y" });
    expect(turns).toBeGreaterThan(1);
  });

  test("that is none, or missing, is refused", async () => {
    const refused = expect.objectContaining({ name: "NablaError", code: "ERR_ARGUMENT", op: "readCsv" });
    await expect(readCsv(dir)).rejects.toThrowError(refused);
    await expect(readCsv(3 as never)).rejects.toThrowError(refused);
    await expect(readCsv(join(dir, "none"))).rejects.toMatchObject({ code: "ENOENT", name: "Error" });
    if (process.platform === "win32") return;
    execFileSync("mkfifo", [join(dir, "fifo")]);
    await expect(readCsv(join(dir, "fifo"))).rejects.toThrowError(refused);
  });
});
