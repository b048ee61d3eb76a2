/** Laws 4, 5 and 11: derivatives in float64, against differences, forward against reverse mode, fused against plain. */
import { grad, jvp, type Tensor, vjp } from "nabla";
import { expect } from "vitest";
import { type Arr, arr } from "../../reference/array.js";
import type { Case, Sample } from "../cases/case.js";
import { bits, direction, draw, make, makeAll, type Random, randomFor, read, small, smooth } from "./inputs.js";
import { law, noDerivative } from "./law.js";

const dot = (a: Arr, b: Arr): number => a.data.reduce((sum, value, i) => sum + value * b.data[i]!, 0);
const absDot = (a: Arr, b: Arr): number => a.data.reduce((sum, value, i) => sum + Math.abs(value * b.data[i]!), 0);
const moved = (x: Arr, v: Arr, h: number): Arr =>
  arr(
    x.shape,
    x.data.map((value, i) => value + h * v.data[i]!),
  );
const zeros = (shape: readonly number[]): Arr =>
  arr(shape, new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0));
const values = (g: Tensor | null | undefined, shape: readonly number[]): Arr => {
  if (g === null || g === undefined) return zeros(shape);
  expect(g.shape, "the gradient has the shape of its input").toEqual(shape);
  return read(g);
};

/** f'(0) by central differences of fourth order. */
const slope = (f: (h: number) => number, h = 1e-3): number => (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);

function expectClose(got: number, want: number, size: number, tolerance: number, what: string): void {
  const error = Math.abs(got - want);
  if (!(error <= tolerance * (1 + size))) expect.fail(`${what}: ${got}, not ${want} (size ${size})`);
}

/** A sample in float64 with everything that the laws of derivatives need of it. */
interface Trial {
  readonly sample: Sample;
  readonly places: readonly number[];
  readonly xs: readonly Arr[];
  /** A cotangent, and a direction per differentiable input. */
  readonly u: Arr;
  readonly vs: readonly Arr[];
  readonly random: Random;
  /** The inputs as tensors: those that gradients reach are given, or fresh leaves. */
  tensors(given?: readonly Tensor[]): Tensor[];
  leaves(): Tensor[];
}

function* trials(op: string, of: Case): Generator<Trial> {
  const places = smooth(of);
  let count = 0;
  for (const sample of small(of)) {
    const random = randomFor(`${op} ${sample.label} derivatives`);
    const xs = draw(of, sample, "float64", random);
    const result = sample.reference(xs, "float64");
    // A mean of nothing has no derivative to speak of.
    if (!result.data.every(Number.isFinite)) continue;
    const u = direction(result.shape, random);
    const vs = places.map((i) => direction(xs[i]!.shape, random));
    const tensors = (given?: readonly Tensor[]): Tensor[] => {
      const all = makeAll(of, xs, "float64");
      given?.forEach((x, k) => {
        all[places[k]!] = x;
      });
      return all;
    };
    const leaves = (): Tensor[] =>
      places.map((i) => {
        const leaf = make(xs[i]!, "float64");
        leaf.requiresGrad = true;
        return leaf;
      });
    count++;
    yield { sample, places, xs, u, vs, random, tensors, leaves };
  }
  if (count === 0) expect.fail("no sample is small and finite");
}

/** The cotangents of the inputs for the trial's cotangent of the result, at the given leaves. */
function pull(
  trial: Trial,
  leaves: readonly Tensor[],
  u: Tensor,
  createGraph: boolean,
  call = trial.sample.call,
): (Tensor | null)[] {
  const y = call(trial.tensors(leaves));
  if (!y.requiresGrad) return leaves.map(() => null);
  return grad(y, leaves, { gradOutputs: u, createGraph, allowUnused: true });
}

const cotangent = (trial: Trial, y: Tensor): Tensor => make(trial.u, y.dtype);
const resultOf = (trial: Trial): Tensor => trial.sample.call(trial.tensors());

law(
  "gradient",
  (op, of) => {
    const tolerance = of.derivative ?? 1e-8;
    let reached = false;
    for (const trial of trials(op, of)) {
      const { sample, places, xs, u, vs } = trial;
      const leaves = trial.leaves();
      const u64 = cotangent(trial, resultOf(trial));
      const found = pull(trial, leaves, u64, false);
      places.forEach((i, k) => {
        const along = dot(values(found[k], xs[i]!.shape), vs[k]!);
        const at = (h: number): number => {
          const shifted = xs.map((x, j) => (j === i ? moved(x, vs[k]!, h) : x));
          return dot(u, read(sample.call(makeAll(of, shifted, "float64"))));
        };
        const size = Math.abs(along) + absDot(u, read(resultOf(trial)));
        expectClose(along, slope(at), size, tolerance, `${sample.label}: by input ${i}`);
      });
      // The other ways to the same gradient.
      const y = sample.call(trial.tensors(leaves));
      if (!y.requiresGrad) continue;
      reached = true;
      y.backward({ gradient: u64 });
      const [, back] = vjp(
        (...given: Tensor[]) => sample.call(trial.tensors(given)),
        ...leaves.map((leaf) => leaf.detach()),
      );
      const pulled = back(u64);
      leaves.forEach((leaf, k) => {
        if (found[k] === null) return;
        expect(bits(leaf.grad!), `${sample.label}: backward()`).toBe(bits(found[k]!));
        expect(bits(pulled[k]!), `${sample.label}: vjp()`).toBe(bits(found[k]!));
      });
    }
    return reached ? "holds" : "not: its result never requires grad";
  },
  noDerivative,
);

/** Of s = sum of <w, gradient>: its derivatives by every input and by the cotangent, in two ways and by differences. */
law(
  "second order",
  (op, of) => {
    const tolerance = of.derivative ?? 1e-7;
    for (const trial of trials(op, of)) {
      const { sample, places, xs, u, vs, random } = trial;
      const ws = places.map((i) => direction(xs[i]!.shape, random));
      const total = (gradients: readonly (Tensor | null)[]): Tensor | null =>
        gradients.reduce<Tensor | null>((sum, g, k) => {
          if (g === null) return sum;
          const part = g.mul(make(ws[k]!, "float64")).sum();
          return sum === null ? part : sum.add(part);
        }, null);
      const result = resultOf(trial);
      const leaves = trial.leaves();
      const u64 = cotangent(trial, result);
      u64.requiresGrad = true;
      const s = total(pull(trial, leaves, u64, true));
      const second = s === null || !s.requiresGrad ? null : grad(s, [...leaves, u64], { allowUnused: true });
      const sAt = (shifted: readonly Arr[]): number => {
        const fresh = places.map((i) => {
          const leaf = make(shifted[i]!, "float64");
          leaf.requiresGrad = true;
          return leaf;
        });
        return total(pull(trial, fresh, cotangent(trial, result), false))?.item() ?? 0;
      };
      const size = Math.abs(s?.item() ?? 0);
      places.forEach((i, k) => {
        const along = dot(values(second?.[k], xs[i]!.shape), vs[k]!);
        const differences = slope((h) => sAt(xs.map((x, j) => (j === i ? moved(x, vs[k]!, h) : x))));
        expectClose(along, differences, size + Math.abs(along), tolerance, `${sample.label}: by input ${i}`);
      });
      // s is linear in the cotangent, with the slope J w: what forward mode computes.
      const [, forward] = jvp(
        (...given: Tensor[]) => sample.call(trial.tensors(given)),
        trial.leaves().map((x) => x.detach()),
        ws.map((w) => make(w, "float64")),
      );
      const byCotangent = dot(values(second?.[places.length], u.shape), u);
      expectClose(
        byCotangent,
        dot(read(forward), u),
        size,
        tolerance === 1e-7 ? 1e-11 : tolerance,
        `${sample.label}: by the cotangent`,
      );
      // Forward over reverse mode.
      const gradientAlong = (...given: Tensor[]): Tensor => {
        const [, back] = vjp((...inner: Tensor[]) => sample.call(trial.tensors(inner)), ...given);
        return total(back(cotangent(trial, result)))!;
      };
      const [, mixed] = jvp(
        gradientAlong,
        trial.leaves().map((x) => x.detach()),
        vs.map((v) => make(v, "float64")),
      );
      const whole = places.reduce((sum, i, k) => sum + dot(values(second?.[k], xs[i]!.shape), vs[k]!), 0);
      expectClose(
        mixed.item(),
        whole,
        size + Math.abs(whole),
        tolerance === 1e-7 ? 1e-11 : tolerance,
        `${sample.label}: forward over reverse`,
      );
    }
  },
  noDerivative,
);

law(
  "duality",
  (op, of) => {
    for (const trial of trials(op, of)) {
      const { sample, places, xs, u, vs } = trial;
      const tangents = vs.map((v) => make(v, "float64"));
      const inputs = trial.leaves().map((x) => x.detach());
      const [y, dy] = jvp((...given: Tensor[]) => sample.call(trial.tensors(given)), inputs, tangents);
      expect(dy.shape, `${sample.label}: the tangent has the shape of the result`).toEqual(y.shape);
      expect(dy.dtype, `${sample.label}: the tangent has the dtype of the result`).toBe(y.dtype);
      const pulled = pull(trial, trial.leaves(), cotangent(trial, y), false).map((g, k) =>
        values(g, xs[places[k]!]!.shape),
      );
      const back = pulled.reduce((sum, g, k) => sum + dot(g, vs[k]!), 0);
      const size = pulled.reduce((sum, g, k) => sum + absDot(g, vs[k]!), absDot(u, read(dy)));
      expectClose(dot(u, read(dy)), back, size, of.derivative === undefined ? 1e-12 : 1e-6, sample.label);
      // One tangent alone: rules must take the others as zero.
      if (places.length > 1)
        places.forEach((_, k) => {
          const only = (x: Tensor): Tensor =>
            sample.call(trial.tensors(inputs.map((input, j) => (j === k ? x : input))));
          const [, part] = jvp(only, [inputs[k]!], [tangents[k]!]);
          expectClose(
            dot(u, read(part)),
            dot(pulled[k]!, vs[k]!),
            size,
            of.derivative === undefined ? 1e-12 : 1e-6,
            `${sample.label}: tangent ${k} alone`,
          );
        });
    }
  },
  noDerivative,
);

law(
  "decomposition",
  (op, of) => {
    for (const trial of trials(op, of)) {
      const { sample, places, xs, u, random } = trial;
      const plain = sample.decomposition!;
      const near = (
        got: Tensor | null | undefined,
        want: Tensor | null | undefined,
        shape: readonly number[],
        tolerance: number,
        what: string,
      ) => {
        const [a, b] = [values(got, shape), values(want, shape)];
        a.data.forEach((value, k) =>
          expectClose(value, b.data[k]!, Math.abs(b.data[k]!), tolerance, `${sample.label}: ${what}, element ${k}`),
        );
      };
      near(sample.call(trial.tensors()), plain(trial.tensors()), u.shape, 1e-12, "value");
      const ws = places.map((i) => direction(xs[i]!.shape, random));
      const both = [sample.call, plain].map((call) => {
        const leaves = trial.leaves();
        const u64 = cotangent(trial, call(trial.tensors()));
        u64.requiresGrad = true;
        const first = pull(trial, leaves, u64, true, call);
        const parts = first.flatMap((g, k) =>
          g === null || !g.requiresGrad ? [] : [g.mul(make(ws[k]!, "float64")).sum()],
        );
        const second =
          parts.length === 0
            ? []
            : grad(
                parts.reduce((a, b) => a.add(b)),
                [...leaves, u64],
                { allowUnused: true },
              );
        return { first, second };
      });
      places.forEach((i, k) => {
        near(both[0]!.first[k], both[1]!.first[k], xs[i]!.shape, 1e-11, `gradient by input ${i}`);
        near(both[0]!.second[k], both[1]!.second[k], xs[i]!.shape, 1e-10, `second derivative by input ${i}`);
      });
      near(
        both[0]!.second[places.length],
        both[1]!.second[places.length],
        u.shape,
        1e-10,
        "second derivative by the cotangent",
      );
    }
  },
  noDerivative,
);
