/** Laws 1, 2 and 10: what an op gives, in which shape and dtype, also where numbers stand for tensors. */
import { type DType, full, type Tensor } from "nabla";
import { table } from "nabla/internal";
import { describe, expect, test } from "vitest";
import { type Arr, arr, count } from "../../reference/array.js";
import type { Case, Operand, Sample } from "../cases/case.js";
import { cases, groups } from "../cases/index.js";
import { expectNear } from "./close.js";
import { bits, draw, dtypeOf, make, makeAll, randomFor } from "./inputs.js";
import { isFloat, law } from "./law.js";
import { agreeOn, byProof } from "./proofs.js";

describe("the table and the cases name each other", () => {
  test.each([...table.keys()])("the row %s has a case", (name) => expect(cases.has(name)).toBe(true));
  test.each([...cases].filter(([, of]) => of.row !== undefined))("the row that %s names exists", (_, of) =>
    expect(table.has(of.row!)).toBe(true),
  );
  test("dtypes that are not tried", () =>
    agreeOn(
      "others",
      byProof(
        [...cases].flatMap(([name, of]) => (of.others === undefined ? [] : [name])),
        (name) => cases.get(name)!.others,
      ),
    ));
  test("in groups", () =>
    agreeOn("groups", Object.fromEntries(Object.entries(groups).map(([name, of]) => [name, Object.keys(of)]))));
});

/** All combinations of special values, as inputs of one shape. */
function combined(of: Case, dtype: DType): Arr[] | null {
  if (of.specials === undefined) return null;
  let tuples: number[][] = [[]];
  for (const values of of.specials) tuples = tuples.flatMap((tuple) => values.map((value) => [...tuple, value]));
  const round = dtype === "float32" ? Math.fround : (x: number) => x;
  return of.inputs.map((_, i) =>
    arr(
      [tuples.length],
      tuples.map((tuple) => round(tuple[i]!)),
    ),
  );
}

law("value", (op, of) => {
  for (const dtype of of.dtypes) {
    const check = (sample: Sample, xs: readonly Arr[]) => {
      const got = sample.call(makeAll(of, xs, dtype));
      const scale = sample.scale?.(xs);
      expectNear(op, of, sample, got, sample.reference(xs, dtype), scale);
    };
    for (const sample of of.samples)
      check(sample, draw(of, sample, dtype, randomFor(`${op} ${sample.label} ${dtype}`)));
    const specials = isFloat(dtype) ? combined(of, dtype) : null;
    if (specials !== null) check(of.samples[0]!, specials);
  }
  return of.dtypes.join(" ");
});

law("dtype and shape", (op, of) => {
  for (const dtype of of.dtypes)
    for (const sample of of.samples) {
      const xs = draw(of, sample, dtype, randomFor(`${op} ${sample.label}`));
      const got = sample.call(makeAll(of, xs, dtype));
      const where = `${sample.label} in ${dtype}`;
      expect(got.dtype, where).toBe(of.result(dtype));
      expect(got.shape, where).toEqual(sample.reference(xs, dtype).shape);
      expect(got.numel, where).toBe(count(got.shape));
      const elements = got.toTypedArray();
      expect(elements.length, where).toBe(got.numel);
      expect(elements.constructor, where).toBe(arrayOf[got.dtype]);
    }
  // Two dtypes meet in the higher one, in the op's own way.
  if (of.operands === undefined || of.inputs.length < 2) return;
  const places = of.inputs.flatMap((input, i) => (input.dtype === undefined ? [i] : []));
  for (const a of of.dtypes)
    for (const b of of.dtypes) {
      const xs = of.inputs.map((input, i) => full([2], 1, { dtype: dtypeOf(input, i === places.at(-1) ? b : a) }));
      expect(of.operands(xs).dtype, `${a} with ${b}`).toBe(of.result(levels.indexOf(a) > levels.indexOf(b) ? a : b));
    }
});
const levels: readonly DType[] = ["bool", "uint8", "int32", "int64", "float32", "float64"];
const arrayOf = {
  bfloat16: Float32Array,
  float16: Float32Array,
  bool: Uint8Array,
  uint8: Uint8Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

/** Each operand in turn as a number: the result is the one with a tensor of rank 0 in its place. */
law("numbers", (op, of) => {
  for (const dtype of of.dtypes.filter((name) => name !== "bool")) {
    const random = randomFor(`${op} numbers ${dtype}`);
    const sample = of.samples.find((one) => one.shapes.every((shape) => count(shape) > 1))!;
    const xs = draw(of, sample, dtype, random);
    const tensors = makeAll(of, xs, dtype);
    for (const [i, input] of of.inputs.entries()) {
      if (input.dtype !== undefined) continue;
      const value = xs[i]!.data[0]!;
      const mixed = (operand: Operand): Operand[] => tensors.map((x, k) => (k === i ? operand : x));
      if (of.inputs.length > 1) {
        const beside = of.operands!(mixed(value));
        expect(bits(beside), `operand ${i} in ${dtype}`).toBe(bits(of.operands!(mixed(make(arr([], [value]), dtype)))));
      }
      if (dtype !== "float32" || of.inputs.some((one) => one.dtype !== undefined)) continue;
      const alone = of.operands!(xs.map((x) => x.data[0]!));
      expect(alone.shape, "numbers only").toEqual([]);
      const ofTensors: Tensor = of.operands!(xs.map((x) => make(arr([], [x.data[0]!]), "float32")));
      expect(bits(alone), "numbers only").toBe(bits(ofTensors));
    }
  }
});
