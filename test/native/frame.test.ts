import { scaledDotProductAttention, zeros } from "nabla";
import { addon, layout, rawFrame } from "nabla/internal";
import { describe, expect, test } from "vitest";
import { answer } from "../support/child.js";

const fuzz = new URL("./scripts/fuzz.mjs", import.meta.url);

interface Fuzzed {
  readonly seed: number;
  readonly executed: number;
  readonly succeeded: number;
  readonly leaked: number;
  readonly unreached: readonly string[];
}

describe("hand-made frames", () => {
  test("never crash, write only what they name, always get a status, leak nothing", async () => {
    const { seed, executed, succeeded, leaked, unreached } = await answer<Fuzzed>(fuzz, { args: [40_000] });
    console.log(`frames: seed ${seed}`); // repeats a failure: node test/native/scripts/fuzz.mjs 40000 SEED
    expect(executed).toBe(40_000);
    // Enough of them are calls that run, of every kernel: otherwise nothing behind the first check was tried.
    expect(succeeded).toBeGreaterThan(3_000);
    expect(unreached).toEqual([]);
    expect(leaked).toBe(0);
  });
});

test("a reduction over empty dimensions on both sides of a kept one divides by no zero", () => {
  expect(zeros([0, 3, 0]).sum([0, 2]).toArray()).toEqual([0, 0, 0]);
});

test("attention to values without elements asks no query, however many there are", () => {
  const queries = zeros([1, 1]).expand([2 ** 40, 1]);
  expect(scaledDotProductAttention(queries, zeros([1, 1]), zeros([1, 0])).shape).toEqual([2 ** 40, 0]);
});

/** Runs identity in `dtype` on a number; `result` are the flags of its result. */
function identityOf(dtype: string, number: number, result: number): string {
  const { ints, doubles } = rawFrame();
  const { header, flags, operandBase, operandInts } = layout;
  const type = layout.dtypes[dtype]!;
  const call = { outs: 1, ins: 1, attrs: 1, hasNode: 0, opcode: layout.opcodes.identity! };
  for (const [field, value] of Object.entries(call)) ints[header[field]!] = value;
  ints.set([0, 0, type, 0, result, 0, 0], operandBase);
  ints.set([0, 0, type, 0, flags.scalar!, 0, 0], operandBase + operandInts);
  doubles.set(result & flags.scalar! ? [type, 0, 0, number, 0] : [type, number, 0]);
  addon.execute({});
  return layout.codes[ints[header.code!]!]!;
}

test.each([
  ["uint8", 256],
  ["uint8", -1],
  ["int32", 2 ** 31],
  ["int32", Number.NaN],
  ["int64", 2 ** 31], // the upper half
])("a number that %s does not hold is refused: %s", (dtype, value) => {
  expect(identityOf(dtype, 1, layout.flags.fresh!)).toBe(layout.codes[0]);
  expect(identityOf(dtype, value, layout.flags.fresh!)).toBe("ERR_NATIVE");
});

test("a result that is a number at the same time is refused", () => {
  expect(identityOf("float32", 1, layout.flags.fresh! | layout.flags.scalar!)).toBe("ERR_NATIVE");
});
