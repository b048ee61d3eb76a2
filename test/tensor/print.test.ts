import { readFileSync } from "node:fs";
import { formatTensor, type PrintOptions } from "nabla/internal";
import { describe, expect, test } from "vitest";

interface Golden {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: readonly (number | boolean | string)[];
  readonly options?: PrintOptions;
  readonly text: string;
}

const golden: Golden[] = JSON.parse(readFileSync(new URL("./print-golden.json", import.meta.url), "utf8"));
const special = new Map([
  ["nan", Number.NaN],
  ["inf", Number.POSITIVE_INFINITY],
  ["-inf", Number.NEGATIVE_INFINITY],
]);
const parse = (value: number | boolean | string) =>
  typeof value === "string" ? (special.get(value) ?? BigInt(value)) : value;

describe("formatTensor lays arrays out as NumPy does", () => {
  test("the golden file holds cases", () => expect(golden.length).toBeGreaterThanOrEqual(80));
  test.each(golden)("$name", ({ dtype, shape, data, options, text }) => {
    expect(formatTensor(data.map(parse), shape, dtype, options)).toBe(text);
  });
});

test("options that are undefined keep their defaults", () => {
  const options = { precision: undefined, threshold: undefined, lineWidth: undefined };
  expect(formatTensor([0.1, 2], [2], "float32", options)).toBe("tensor([0.1, 2. ], dtype=float32)");
});

test("a large array printed in full does not overflow the stack", () => {
  const data = new Float32Array(200_000).fill(0.5);
  const text = formatTensor(data, [200_000], "float32", { threshold: 1e6 });
  expect(text.match(/0\.5/g)).toHaveLength(200_000);
});
