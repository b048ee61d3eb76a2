import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { arange, slice, zeros } from "nabla";
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

describe("a large tensor", () => {
  test("is printed from its edges alone", () => {
    const x = zeros([1]).expand([1e6, 1e6]); // no machine could copy it
    expect(inspect(x)).toBe(`${x}`);
    expect(`${x}`).toContain("shape=[1000000, 1000000]");
    expect(`${x}`.split("\n")).toHaveLength(8);
  });
  test.each(["float32", "float64", "float16", "bfloat16", "int32", "int64", "uint8", "bool"] as const)(
    "of %s: as the whole",
    (dtype) => {
      const source = arange(8 * 9 * 20)
        .remainder(7)
        .to(dtype)
        .reshape([8, 9, 20]);
      for (const x of [
        source,
        source.permute([2, 0, 1]),
        source.flip([1]),
        source.at(slice(0, 8, 1), 3),
        source.reshape([-1]),
        source.reshape([2, 1, 720]),
      ])
        if (x.numel > 1000) {
          const elements: ArrayLike<number | bigint | boolean> =
            dtype === "bool" ? Array.from(x.toTypedArray(), Boolean) : x.toTypedArray();
          expect(x.toString()).toBe(formatTensor(elements, x.shape, dtype));
        }
    },
  );
});
