import { readFileSync } from "node:fs";
import * as nb from "nabla";
import { grad, Tensor, tensor } from "nabla";
import { describe, expect, test } from "vitest";
import { without } from "./without.js";

type DType = nb.DType;
type Value = number | string;
interface Encoded {
  readonly t: DType;
  readonly s: number[];
  readonly v: Value[];
  /** Laid out with its axes reversed in memory. */
  readonly strided?: 1;
}
type Shown = Encoded | Shown[] | { readonly [key: string]: Shown };
interface Row {
  readonly op: string;
  readonly trap?: string;
  readonly args: unknown[];
  readonly out: Shown;
  /** The derivative of the weighted results by each float tensor among the arguments, and that of these derivatives. */
  readonly first?: Value[][];
  readonly second?: Value[][];
}
const { rows }: { rows: Row[] } = JSON.parse(readFileSync(new URL("./golden.json", import.meta.url), "utf8"));

/** What PyTorch's functions in the traps of golden.py are here. */
const traps: Record<string, (...x: Tensor[]) => Tensor> = {
  "abs at 0": (x) => x!.abs(),
  "relu at 0": (x) => x!.relu(),
  "sign at 0": (x) => x!.sign(),
  "sqrt at 0": (x) => x!.sqrt(),
  "maximum at a tie": (x, y) => x!.maximum(y!),
  "amax at a tie": (x) => x!.amax(0),
  "max of all at a tie": (x) => x!.max(),
  "clamp at its bounds": (x) => x!.clamp({ min: -1, max: 1 }),
  "pow at 0": (x, y) => x!.pow(y!),
  "0 to the power 0": (x, y) => x!.pow(y!),
  "square of 0 by pow": (x) => x!.pow(2),
  "norm at 0": (x) => x!.norm(),
  "norm of order 1 at 0": (x) => x!.norm({ ord: 1 }),
  "prod with a zero": (x) => x!.prod(),
  "prod with two zeros": (x) => x!.prod(),
  "cumprod with a zero": (x) => x!.cumprod(0),
  "where with NaN in the branch not taken": (x) => nb.where(x!.gt(0), x!.clamp({ min: 0.1 }).log(), x!.exp()),
  "logsumexp of -inf": (x) => x!.logsumexp(0),
  "logsumexp with one -inf": (x) => x!.logsumexp(0),
  "logsumexp of inf": (x) => x!.logsumexp(0),
  "std of one element": (x) => x!.std(),
  "std of equal elements": (x) => x!.std(),
  "scatterAdd with repeated indices": (x, s) => x!.scatterAdd(0, tensor([1, 1, 1], { dtype: "int32" }), s!),
  "gather with repeated indices": (x) => x!.gather(0, tensor([1, 1, 0], { dtype: "int32" })),
  "a tensor used twice": (x) => x!.mul(x!),
  "a tensor minus itself": (x) => x!.sub(x!),
  "matmul with itself": (x) => x!.matmul(x!),
  "through expand": (x) => x!.expand([3, 2]).square(),
  "sum over an axis of size 0": (x) => x!.sum(0),
  "mean of nothing": (x) => x!.mean(),
  "atan2 at the origin": (y, x) => y!.atan2(x!),
  "softmax of -inf beside numbers": (x) => x!.softmax(0),
  "logaddexp of -inf twice": (x, y) => x!.logaddexp(y!),
  "sigmoid far out": (x) => x!.sigmoid(),
  "softplus far out": (x) => nb.softplus(x!),
  "huber at its kink": (x) => nb.huberLoss(x!, nb.zerosLike(x!), { reduction: "sum" }),
};

/** Derivatives at a kink that are chosen otherwise than PyTorch's, each by the documentation of its op. */
const chosen: Record<string, Pick<Row, "first">> = {
  // 1 at a bound, so that a value which an earlier clamp put there can still leave it; PyTorch 2.15 has 0.
  "clamp at its bounds": { first: [[-0.5, 1.25, 0.25, 0]] },
};

const isEncoded = (x: unknown): x is Encoded => typeof x === "object" && x !== null && "t" in x && "v" in x;

/** The argument that an encoded one stands for; its float tensors are added to `inputs`. */
function decode(x: unknown, inputs: Tensor[]): unknown {
  if (isEncoded(x)) {
    const values = x.t === "int64" ? BigInt64Array.from(x.v, BigInt) : x.v.map(Number);
    const flat = tensor(values, { dtype: x.t, shape: x.s });
    const reversed = x.s.map((_, i) => x.s.length - 1 - i);
    const made = x.strided ? flat.permute(reversed).contiguous().permute(reversed) : flat;
    if (!x.t.startsWith("float")) return made;
    inputs.push(made);
    return made;
  }
  if (x === "Infinity" || x === "-Infinity") return Number(x);
  if (Array.isArray(x)) return x.map((part) => decode(part, inputs));
  if (typeof x === "object" && x !== null)
    return Object.fromEntries(Object.entries(x).map(([key, part]) => [key, decode(part, inputs)]));
  return x;
}

/** The weights that golden.py puts on results (step 7) and on gradients (step 5). */
const pattern = (like: Tensor, step: number): Tensor =>
  tensor(
    Float64Array.from({ length: like.numel }, (_, i) => (((i * step + 3) % 11) - 5) / 4),
    { dtype: like.dtype, shape: like.shape },
  );
const weighted = (xs: Tensor[], step: number): Tensor | undefined =>
  xs.map((x) => x.mul(pattern(x, step)).sum()).reduce<Tensor | undefined>((a, b) => (a ? a.add(b) : b), undefined);

const tolerance = { float64: 1e-11, float32: 2e-6 };
/** PyTorch's own error where it is larger: its trigamma, which the derivatives of these hold, is good to some 1e-9. */
const coarse: Record<string, number> = { lgamma: 1e-8, digamma: 1e-8 };
function close(actual: Tensor, expected: readonly Value[], what: string, atLeast = 0): void {
  const found = Array.from(actual.contiguous().toTypedArray() as Float64Array, Number);
  expect(found.length, what).toBe(expected.length);
  const near = Math.max(tolerance[actual.dtype as "float64"] ?? 0, atLeast);
  found.forEach((a, i) => {
    const b = Number(expected[i]);
    const same = Object.is(a, b) || a === b || Math.abs(a - b) <= near * Math.max(1, Math.abs(b));
    if (!same) expect.fail(`${what}: element ${i} is ${a}, PyTorch has ${b}`);
  });
}

/** Compares a result of any structure and lists its tensors; of an object, only what the row names. */
function compare(actual: unknown, expected: Shown, what: string): Tensor[] {
  if (isEncoded(expected)) {
    const x = actual as Tensor;
    expect(x, what).toBeInstanceOf(Tensor);
    expect([x.dtype, ...x.shape], what).toEqual([expected.t, ...expected.s]);
    close(x, expected.v, what);
    return [x];
  }
  if (Array.isArray(expected)) {
    expect(actual, what).toHaveLength(expected.length);
    return expected.flatMap((part, i) => compare((actual as unknown[])[i], part, `${what}[${i}]`));
  }
  return Object.entries(expected).flatMap(([key, part]) =>
    compare((actual as Record<string, unknown>)[key], part, `${what}.${key}`),
  );
}

const derivative = (total: Tensor | undefined, inputs: Tensor[]): (Tensor | null)[] =>
  total?.requiresGrad ? grad(total, inputs, { createGraph: true, allowUnused: true }) : inputs.map(() => null);

type Call = (...args: unknown[]) => unknown;
function check(row: Row, f: Call): void {
  const inputs: Tensor[] = [];
  const args = decode(row.args, inputs) as unknown[];
  if (row.first) for (const x of inputs) x.requiresGrad = true;
  const results = compare(f(...args), row.out, "value");
  if (!row.first) return;
  const order = [row.first, row.second];
  let of = results.filter((x) => x.requiresGrad);
  order.forEach((expected, n) => {
    if (!expected) return;
    const gradients = derivative(weighted(of, [7, 5][n]!), inputs);
    gradients.forEach((g, i) => {
      const what = `derivative ${n + 1} by input ${i}`;
      if (g) close(g, expected[i]!, what, coarse[row.op]);
      else if (!expected[i]!.every((v) => v === 0)) expect.fail(`${what}: none, PyTorch has ${expected[i]}`);
    });
    of = gradients.filter((g): g is Tensor => g?.requiresGrad === true);
  });
}

const functions = nb as unknown as Record<string, Call>;
const byOp = new Map<string, Row[]>();
for (const row of rows) if (!row.trap) byOp.set(row.op, [...(byOp.get(row.op) ?? []), row]);
const title = (row: Row, i: number): string => `row ${i}: ${JSON.stringify(row.args).slice(0, 90)}`;

for (const [op, all] of byOp)
  describe(op, () => {
    test.each(all.map((row, i) => [title(row, i), row] as const))("%s", (_, row) => {
      check(row, functions[op]!);
      if (isEncoded(row.args[0]) && op in Tensor.prototype)
        check(row, (x, ...rest) => (x as unknown as Record<string, Call>)[op]!(...rest));
    });
  });

describe("traps", () => {
  test.each(rows.filter((row) => row.trap).map((row) => [row.trap!, row] as const))("%s", (name, row) => {
    check({ ...row, ...chosen[name] }, traps[name] as unknown as Call);
  });

  test("each has a row", () => {
    expect(Object.keys(traps).sort()).toEqual(rows.flatMap((row) => row.trap ?? []).sort());
  });

  test("perturbation confusion: d/dx [x · d/dy (x + y)] is 1 in every mode", () => {
    const reverse = (f: (y: Tensor) => Tensor) => (y: Tensor) => grad(f)(y);
    const forward = (f: (y: Tensor) => Tensor) => (y: Tensor) => nb.jvp(f, [y], [nb.onesLike(y)])[1];
    for (const outer of [reverse, forward])
      for (const inner of [reverse, forward]) {
        const f = (x: Tensor): Tensor => x.mul(inner((y) => x.add(y))(nb.scalar(2)));
        expect(outer(f)(nb.scalar(3)).item()).toBe(1);
      }
  });
});

describe("every exported function has golden rows, or a reason why not", () => {
  const exported = Object.keys(functions).filter(
    (name) => /^[a-z]/.test(name) && typeof functions[name] === "function",
  );

  test.each(exported)("%s", (name) => {
    const shapes = new Set((byOp.get(name) ?? []).map((row) => JSON.stringify(row.args)));
    if (without.has(name)) expect(shapes.size, "the reason is stale: there are rows").toBe(0);
    else
      expect(
        shapes.size,
        "rows of golden.py with different arguments; or a reason in without.ts",
      ).toBeGreaterThanOrEqual(3);
  });

  test("no reason and no row is for what is not exported", () => {
    expect([...without.keys(), ...byOp.keys()].filter((name) => !exported.includes(name))).toEqual([]);
  });
});
