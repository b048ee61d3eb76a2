/** What a call is said to give, before it runs, is what it gives; the kernels that it is said to run are those that it runs. */
import { type DType, NablaError, noGrad, type Tensor } from "nabla";
import { dryRun, dtypes, kernelNames, layout, placeholder, rawFrame, standIn, ValuesNeeded } from "nabla/internal";
import { describe, expect, test } from "vitest";
import { passingOn, runsKernel } from "../../support/door.js";
import type { Case, Sample } from "../cases/case.js";
import { cases } from "../cases/index.js";
import { draw, makeAll, randomFor } from "./inputs.js";
import { isFloat } from "./law.js";

const specOf = (x: Tensor): string => `${x.dtype} [${x.shape}]`;

/** The kernels that run, by name, with their attributes. */
function listed<T>(f: () => T): { value: T; calls: string[] } {
  const { ints, doubles } = rawFrame();
  const calls: string[] = [];
  const door = passingOn((call) => {
    if (!runsKernel(call)) return;
    const attrs = Array.from(doubles.subarray(0, ints[layout.header["attrs"]!]!));
    calls.push(`${kernelNames()[ints[layout.header["opcode"]!]!]} ${attrs}`);
  });
  return { value: standIn(door, f), calls };
}

/** Ops whose kernels or shapes follow from values, which a call without elements cannot know. */
const byValues = new Set<string>();
const knownByValues = [
  ...["unique", "unique, equals", "unique, inverse", "unique, counts", "maskedSelect", "nonzero", "nonzero, floats"],
  ...["at", "indexPut, a mask"], // the number of true elements
  ...["oneHot", "bincount", "bincount, weights", "repeatInterleave"], // without a length
  "lstsq", // the rank
];

function check(op: string, call: Sample["call"], inputs: readonly (Tensor | number)[], what: string): boolean {
  const real = listed(() => noGrad(() => call(inputs as Tensor[])));
  let asked: { value: Tensor; calls: { kernel: string; attrs: readonly number[] }[] };
  try {
    asked = dryRun(() =>
      noGrad(() =>
        call(inputs.map((x) => (typeof x === "number" ? x : placeholder(dtypes[x.dtype], x.shape))) as Tensor[]),
      ),
    );
  } catch (error) {
    if (!(error instanceof ValuesNeeded)) throw error;
    byValues.add(op);
    return false;
  }
  expect(specOf(asked.value), `${op} ${what}`).toBe(specOf(real.value));
  // Values may differ in keys of random numbers.
  const names = (calls: readonly string[]) => calls.map((text) => text.split(" ")[0]);
  const said = asked.calls.map(({ kernel, attrs }) => `${kernel} ${attrs}`);
  const random = real.calls.some((text) => /^(uniform|normal|randomIntegers|dropout|attention)/.test(text));
  expect(random ? names(said) : said, `${op} ${what}: kernels`).toEqual(random ? names(real.calls) : real.calls);
  return true;
}

const trials = (op: string, of: Case): [string, DType, Sample][] =>
  of.samples
    .filter((sample) => sample.shapes.every((shape) => shape.reduce((a, b) => a * b, 1) <= 4096))
    .flatMap((sample) => {
      const halves: DType[] = of.dtypes.includes("float32") ? ["bfloat16", "float16"] : [];
      return [...of.dtypes, ...halves].map((dtype): [string, DType, Sample] => [
        `${op} ${sample.label} ${dtype}`,
        dtype,
        sample,
      ]);
    });

describe("what is said of a call is what comes of it", () => {
  let checked = 0;
  for (const [op, of] of cases)
    test(op, () => {
      for (const [what, dtype, sample] of trials(op, of)) {
        const drawn = makeAll(
          of,
          draw(of, sample, isFloat(dtype) ? "float32" : dtype, randomFor(what)),
          isFloat(dtype) ? "float32" : dtype,
        );
        const inputs = drawn.map((x, i) => (of.inputs[i]!.dtype === undefined ? x.to(dtype) : x));
        try {
          noGrad(() => sample.call(inputs));
        } catch (error) {
          if (error instanceof NablaError) continue; // values that this dtype does not allow
          throw error;
        }
        if (check(op, sample.call, inputs, what)) checked++;
        const { operands } = of;
        if (operands !== undefined && inputs.length > 1 && inputs[0]!.numel > 0)
          for (let i = 1; i < inputs.length; i++) {
            const numbers = inputs.map((x, k) => (k === i ? 1 : x));
            try {
              noGrad(() => operands(numbers));
            } catch {
              continue;
            }
            if (check(op, operands as never, numbers, `${what} with a number`)) checked++;
          }
      }
    });
  test("holds of many calls, and only known ops read values", () => {
    console.log(`asked: ${checked} calls; by values: ${[...byValues].join(" ")}`);
    expect(checked).toBeGreaterThan(10_000);
    expect([...byValues].sort()).toEqual(knownByValues.sort());
  });
});
