/** Laws 3, 6 and 7: the same bits whatever the layout, the number of threads and the instruction set. */
import "./seven-threads.js";
import { at, type DType, full, grad, setNumThreads, type Tensor } from "nabla";
import { addon } from "nabla/internal";
import { afterAll, expect } from "vitest";
import { type Arr, arr, count, get, indices, permute } from "../../reference/array.js";
import type { Case, Sample } from "../cases/case.js";
import { bits, direction, draw, dtypeOf, make, makeAll, randomFor, smooth } from "./inputs.js";
import { isFloat, law, noDerivative } from "./law.js";

interface Laid {
  readonly how: string;
  readonly x: Tensor;
  /** The storage that x is a view of. */
  readonly base: Tensor;
}

/** A view that holds x, inside of a larger storage of other values: base.at(index), element by element in x's order. */
function inside(how: string, x: Arr, dtype: DType, shape: readonly number[], index: string): Laid {
  const base = full(shape, dtype === "bool" ? 1 : 7, { dtype });
  const view = at(base, index);
  view.assign(make(x, dtype));
  return { how, x: view, base };
}

/** The same values in every layout there is. */
function layouts(x: Arr, dtype: DType): Laid[] {
  const { shape } = x;
  const each = (part: string): string => ["...", ...shape.map(() => part)].slice(1).join() || "...";
  const found: Laid[] = [
    inside(
      "a slice",
      x,
      dtype,
      shape.map((size) => size + 2),
      each("1:-1"),
    ),
    inside(
      "every other element",
      x,
      dtype,
      shape.map((size) => 2 * size),
      each("::2"),
    ),
    inside("reversed", x, dtype, shape, each("::-1")),
    inside(
      "every third, reversed",
      x,
      dtype,
      shape.map((size) => 3 * size),
      each("::-3"),
    ),
    inside("behind an offset", x, dtype, [3, ...shape], "1"),
  ];
  if (shape.length > 1) {
    const order = shape.map((_, d) => shape.length - 1 - d);
    const base = make(permute(x, order), dtype);
    found.push({ how: "transposed", x: base.permute(order), base });
    const wide = inside(
      "",
      permute(x, order),
      dtype,
      order.map((d) => 2 * shape[d]!),
      each("::-2"),
    );
    found.push({ how: "transposed, every other, reversed", x: wide.x.permute(order), base: wide.base });
  }
  return found;
}

/** x with one dimension made constant, and the view that repeats a single slice of it. */
function repeated(x: Arr, dtype: DType, dim: number): { dense: Arr; laid: Laid } {
  const first = arr(
    x.shape.map((size, d) => (d === dim ? 1 : size)),
    indices(x.shape)
      .filter((index) => index[dim] === 0)
      .map((index) => get(x, index)),
  );
  const dense = arr(
    x.shape,
    indices(x.shape).map((index) => get(first, index)),
  );
  const base = make(first, dtype);
  return { dense, laid: { how: `repeated along ${dim}`, x: base.expand(x.shape), base } };
}

const modest = (sample: Sample): boolean => sample.shapes.every((shape) => count(shape) <= 1000);

law(
  "layout",
  (op, of) => {
    // Every dtype moves its elements in its own way, once; the ways to lie in memory are tried in two.
    const dtypes = of.dtypes.filter((dtype) => dtype === "float32" || dtype === "int64");
    for (const dtype of dtypes.length > 0 ? dtypes : of.dtypes.slice(0, 1))
      for (const sample of of.samples.filter(modest)) {
        const xs = draw(of, sample, dtype, randomFor(`${op} ${sample.label} layout`));
        const types = of.inputs.map((input) => dtypeOf(input, dtype));
        const dense = makeAll(of, xs, dtype);
        const before = dense.map(bits);
        const want = bits(sample.call(dense));
        const where = `${sample.label} in ${dtype}`;
        expect(dense.map(bits), `${where}: inputs unchanged`).toEqual(before);
        const check = (laid: readonly (Laid | null)[], expected: string, others: readonly Tensor[]) => {
          const held = laid.map((one) => (one === null ? null : bits(one.base)));
          const got = sample.call(laid.map((one, i) => one?.x ?? others[i]!));
          const how = laid.map((one) => one?.how ?? "contiguous").join(" | ");
          expect(bits(got) === expected, `${where}: ${how}: the same bits`).toBe(true);
          expect(
            laid.map((one) => (one === null ? null : bits(one.base))),
            `${where}: ${how}: inputs unchanged`,
          ).toEqual(held);
        };
        const ways = xs.map((x, i) => layouts(x, types[i]!));
        ways.forEach((list, i) => {
          for (const one of list)
            check(
              xs.map((_, k) => (k === i ? one : null)),
              want,
              dense,
            );
        });
        // All inputs at once, each in another layout.
        if (xs.length > 1)
          for (let turn = 0; turn < 5; turn++)
            check(
              ways.map((list, i) => list[(turn + 2 * i) % list.length]!),
              want,
              dense,
            );
        xs.forEach((x, i) => {
          if (sample.values?.[i] !== undefined || of.inputs[i]!.dtype !== undefined) return;
          x.shape.forEach((size, dim) => {
            if (size < 2) return;
            const { dense: constant, laid } = repeated(x, types[i]!, dim);
            const expected = bits(sample.call(dense.map((old, k) => (k === i ? make(constant, types[i]!) : old))));
            check(
              xs.map((_, k) => (k === i ? laid : null)),
              expected,
              dense,
            );
          });
        });
        sameTwice(of, sample, dense, types, where);
      }
  },
  (of) => (of.inputs.length === 0 ? "it takes no tensor" : undefined),
);

/** One tensor in two places is as good as two tensors of the same values. */
function sameTwice(of: Case, sample: Sample, dense: readonly Tensor[], types: readonly DType[], where: string): void {
  const places = smooth(of);
  const [first, second] = places;
  if (first === undefined || second === undefined || types[first] !== types[second]) return;
  if (sample.shapes[first]!.join() !== sample.shapes[second]!.join()) return;
  const call = (x: Tensor, y: Tensor) => sample.call(dense.map((old, i) => (i === first ? x : i === second ? y : old)));
  const x = dense[first]!;
  const want = bits(call(x, x.clone()));
  expect(bits(call(x, x)), `${where}: the same tensor twice`).toBe(want);
}

/** A call's result, and the gradients of its inputs where there are any. */
function everything(of: Case, sample: Sample, xs: readonly Arr[], dtype: DType, u: Arr | null): string[] {
  const inputs = makeAll(of, xs, dtype);
  if (u === null) return [bits(sample.call(inputs))];
  const places = smooth(of);
  for (const i of places) inputs[i]!.requiresGrad = true;
  const y = sample.call(inputs);
  if (!y.requiresGrad) return [bits(y)];
  const gradients = grad(
    y,
    places.map((i) => inputs[i]!),
    { gradOutputs: make(u, y.dtype), allowUnused: true },
  );
  return [bits(y), ...gradients.map((g) => (g === null ? "none" : bits(g)))];
}

const differentiable = (of: Case, dtype: DType): boolean =>
  isFloat(dtype) && noDerivative(of) === undefined && of.exempt?.gradient === undefined;

/** The dtypes whose kernels differ in how they are cut and vectorised. */
const kinds = (of: Case): DType[] => {
  const found = of.dtypes.filter((dtype) => dtype === "float32" || dtype === "int32");
  return found.length > 0 ? found : of.dtypes.slice(0, 1);
};

const threads = addon.threads();
afterAll(() => setNumThreads(threads));

law("threads", (op, of) => {
  expect(addon.poolThreads(), "NABLA_NUM_THREADS").toBe(7);
  for (const dtype of kinds(of)) {
    const sample = of.large;
    const random = randomFor(`${op} ${sample.label} threads`);
    const xs = draw(of, sample, dtype, random);
    setNumThreads(1);
    const u = differentiable(of, dtype) ? direction(sample.call(makeAll(of, xs, dtype)).shape, random) : null;
    const alone = everything(of, sample, xs, dtype, u);
    for (const n of [2, 7]) {
      setNumThreads(n);
      const together = everything(of, sample, xs, dtype, u);
      expect(
        together.map((part, i) => part === alone[i]),
        `${n} threads in ${dtype}`,
      ).toEqual(alone.map(() => true));
    }
  }
});

law("isa", (op, of) => {
  const isas = addon.isas();
  const chosen = addon.isa();
  expect(isas).toContain("scalar");
  const trials = of.dtypes.flatMap((dtype) =>
    [...of.samples, of.large].flatMap((sample) => {
      if (sample === of.large && dtype !== kinds(of)[0]) return [];
      const random = randomFor(`${op} ${sample.label} isa`);
      const xs = draw(of, sample, dtype, random);
      const u = differentiable(of, dtype) ? direction(sample.call(makeAll(of, xs, dtype)).shape, random) : null;
      return [{ sample, dtype, xs, u, where: `${sample.label} in ${dtype}` }];
    }),
  );
  try {
    const [first, ...others] = isas.map((isa) => {
      addon.isa(isa);
      expect(addon.isa(), "the instruction set in force").toBe(isa);
      return trials.map(({ sample, dtype, xs, u }) => everything(of, sample, xs, dtype, u));
    });
    others.forEach((other, k) => {
      const wrong = trials.filter((_, i) => other[i]!.some((part, j) => part !== first![i]![j]));
      expect(
        wrong.map((trial) => trial.where),
        `${isas[k + 1]} against ${isas[0]}`,
      ).toEqual([]);
    });
  } finally {
    addon.isa(chosen);
  }
});
