/** Errors bear the name of what the user called, whatever it is made of, and expect something that can be. */
import * as nb from "nabla";
import { NablaError, type Tensor, tensor } from "nabla";
import { describe, expect, test } from "vitest";
import { thrown } from "../autograd/code.js";
import { cases } from "./cases/index.js";
import { draw, makeAll, randomFor } from "./laws/inputs.js";

type Call = (...args: unknown[]) => unknown;
const functions = nb as unknown as Record<string, Call>;
const ints = (...values: number[]): Tensor => tensor(Int32Array.from(values));

/** What is wrong with an error of a call; null where nothing is. */
function fault(name: string, error: unknown): string | null {
  if (!(error instanceof NablaError)) return `not a NablaError: ${String(error)}`;
  if (error.op !== name || !error.message.startsWith(`${name}: `)) return `${error.op}: ${error.message}`;
  for (const [, low, high] of error.message.matchAll(/expected (-?\d+) to (-?\d+)/g))
    if (Number(low) > Number(high)) return error.message;
  return null;
}

/** Tensors that may not fit where another one did. */
const misfits: readonly (() => Tensor)[] = [
  () => nb.scalar(1),
  () => nb.zeros([0]),
  () => nb.ones([7]),
  () => nb.ones([3, 5]),
  () => nb.ones([0, 3]),
  () => nb.ones([2, 2, 3, 5]),
  () => nb.ones([1, 2, 1, 3, 1, 2]),
  () => ints(-9, 9),
  () => nb.ones([2, 2]).to("bool"),
  () => nb.ones([2, 3], { dtype: "bfloat16" }),
];

describe("errors bear the name of the op", () => {
  const known: Readonly<Record<string, string>> = { variance: "var" };
  // Their samples prepare the inputs by other ops, which refuse misfits first.
  const prepared = new Set(["flatten", "contiguous", "cholesky", "triangularSolve, right", "eigh"]);
  for (const op of ["scores added", "keys hidden"]) prepared.add(`scaledDotProductAttention, ${op}`);
  const publicCases = [...cases].filter(([op]) => typeof functions[op.split(",")[0]!] === "function");
  let refused = 0;

  test.each(publicCases.filter(([op]) => !prepared.has(op)))("%s, with another tensor in each place", (op, of) => {
    const name = op.split(",")[0]!;
    for (const sample of of.samples.slice(0, 4)) {
      const dtype = of.dtypes[0]!;
      const xs = makeAll(of, draw(of, sample, dtype, randomFor(`names ${op}`)), dtype);
      for (let place = 0; place < xs.length; place++)
        for (const misfit of misfits)
          try {
            sample.call(xs.with(place, misfit()));
          } catch (error) {
            refused++;
            expect(fault(known[name] ?? name, error), `${op} ${sample.label}`).toBeNull();
          }
    }
  });
  test("and many were refused", () => expect(refused).toBeGreaterThan(1000));

  test.each(publicCases.filter(([op]) => !op.includes(",")))("%s, with other numbers, lists and options", (op) => {
    const random = randomFor(`numbers ${op}`);
    const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
    const numbers = [0, 1, 2, 3, 5, -1, -2, -9, 0.5, Number.NaN, Number.POSITIVE_INFINITY];
    const argument = (): unknown =>
      pick<() => unknown>([
        () => pick(misfits)(),
        () => pick(numbers),
        () => [pick([0, 1, -1, 3]), pick([0, 1, 2, -7])],
        () => [pick(misfits)(), pick(misfits)()],
        () => ({ [pick(["dim", "keepdim", "stride", "padding", "groups", "diagonal", "correction"])]: pick(numbers) }),
        () => undefined,
      ])();
    for (let i = 0; i < 60; i++) {
      const args = [argument(), argument(), argument()].slice(0, 1 + (i % 3));
      if (i % 4 !== 0)
        args[0] = ["cat", "stack", "meshgrid"].includes(op) ? [pick(misfits)(), pick(misfits)()] : pick(misfits)();
      try {
        functions[op]!(...args);
      } catch (error) {
        expect(fault(known[op] ?? op, error), `${op}(${args.map(String).join("; ")})`).toBeNull();
      }
    }
  });

  test("methods rename what their parts say", () => {
    expect(thrown(() => nb.zeros([2, 0]).max(1)).message).toMatch(/^max: nothing to reduce/);
    expect(thrown(() => nb.max(nb.zeros([2, 0]), 1)).message).toMatch(/^max: nothing to reduce/);
    expect(thrown(() => nb.stack([nb.ones([2]), nb.ones([3])])).op).toBe("stack");
  });
});

describe("what is expected can be", () => {
  test.each<[string, () => unknown, RegExp]>([
    ["oneHot", () => nb.oneHot(ints(-1)), /^oneHot: an index is out of range; expected at least 0, got -1$/],
    ["bincount", () => nb.bincount(ints(-1)), /^bincount: an index is out of range; expected at least 0, got -1$/],
    ["at", () => nb.zeros([2, 0]).at(0, 0), /expected none, as there is no element, got 0$/],
    ["at, a list", () => nb.zeros([0]).at([0]), /^at: .*expected none, as there is no element, got 0$/],
    ["take", () => nb.zeros([0]).take(ints(0)), /^take: .*expected none, as there is no element, got 0$/],
    [
      "indexSelect",
      () => nb.zeros([0]).indexSelect(0, ints(0)),
      /^indexSelect: .*expected none, as there is no element/,
    ],
    ["embedding", () => nb.embedding(ints(0), nb.zeros([0, 2])), /^embedding: .*expected none, as there is no element/],
    ["nllLoss", () => nb.nllLoss(nb.zeros([1, 3]), ints(-1)), /^nllLoss: an index .*expected 0 to 2, got -1$/],
    ["crossEntropy", () => nb.crossEntropy(nb.zeros([1, 3]), ints(3)), /^crossEntropy: .*expected 0 to 2, got 3$/],
    [
      "an index beyond 2^32",
      () => nb.embedding(tensor([2n ** 40n + 1n]), nb.zeros([2, 3])),
      /^embedding: an index is out of range; expected 0 to 1, got 1099511627777$/,
    ],
    [
      "indexPut by two lists",
      () => nb.zeros([2, 3]).indexPut([ints(0), ints(1, -4)], 1),
      /^indexPut: an index is out of range; expected -3 to 2, got -4$/,
    ],
    ["bernoulli", () => nb.bernoulli(tensor([0, Number.NaN])), /^bernoulli: .*expected 0 to 1, got NaN$/],
    [
      "binaryCrossEntropy",
      () => nb.binaryCrossEntropy(tensor([0.5, -0.25]), nb.ones([2])),
      /^binaryCrossEntropy: the input holds no probabilities; expected 0 to 1, got -0.25$/,
    ],
    [
      "multinomial",
      () => nb.multinomial(tensor([1, -2]), 1),
      /^multinomial: a weight is not valid; expected finite weights of 0 or more, got -2$/,
    ],
    [
      "multinomial, without replacement",
      () => nb.multinomial(tensor([[1, 2], [0, 1]]), 2), // biome-ignore format: a matrix
      /^multinomial: a row has too few weights above 0; expected at least 2, got 1$/,
    ],
    [
      "indexAdd",
      () => nb.zeros([2], { dtype: "int32" }).indexAdd(0, ints(0, 1), tensor([1n, 2n ** 40n])),
      /^indexAdd: the source does not fit int32; expected -2147483648 to 2147483647 \(.*\), got 1099511627776$/,
    ],
    ["of one", () => nb.zeros([1]).at(1), /expected -1 to 0, got 1$/],
    ["pad", () => nb.zeros([2]).pad([-3, 0]), /expected at least -2, got -3 and 0$/],
    ["topk", () => nb.zeros([0]).topk(1), /expected 0, got 1$/],
    [
      "argnums",
      () => nb.grad((() => nb.scalar(1)) as never)(),
      /argnums names no argument; expected none, as there is no/,
    ],
  ])("%s", (_, call, says) => {
    const { message } = thrown(call);
    expect(message).toMatch(says);
  });
});

test("ERR_AXIS for a dim that a tensor of rank 0 does not have; 0 and -1 are", () => {
  const x = nb.scalar(3);
  const along: Readonly<Record<string, (dim: number) => unknown>> = {
    ...Object.fromEntries(
      [
        "sum",
        "mean",
        "prod",
        "amax",
        "amin",
        "all",
        "any",
        "var",
        "std",
        "logsumexp",
        "argmax",
        "argmin",
        "max",
        "min",
      ].map((op) => [op, (dim: number) => (x as unknown as Record<string, Call>)[op]!(dim)]),
    ),
    ...Object.fromEntries(
      ["median", "cumsum", "cumprod", "sort", "argsort", "softmax", "logSoftmax", "squeeze", "flip", "flatten"].map(
        (op) => [op, (dim: number) => (x as unknown as Record<string, Call>)[op]!(dim)],
      ),
    ),
    norm: (dim) => x.norm([dim]),
    quantile: (dim) => x.quantile(0.5, dim),
    topk: (dim) => x.topk(1, dim),
    roll: (dim) => x.roll(1, dim),
    repeatInterleave: (dim) => x.repeatInterleave(2, dim),
    transpose: (dim) => x.transpose(dim, 0),
    normalize: (dim) => nb.nn.functional.normalize(x, { dim }),
  };
  for (const [op, call] of Object.entries(along)) {
    for (const dim of [1, 5, -2]) {
      const error = thrown(() => call(dim));
      expect([op, error.op, error.code]).toEqual([op, op, "ERR_AXIS"]);
    }
    call(0);
    call(-1);
  }
});
