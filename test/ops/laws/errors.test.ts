/** Laws 8 and 9: what an op refuses and how it says so, and that nothing of a call stays. */
import { type DType, grad, memory, NablaError, type Tensor } from "nabla";
import { dtypes, layout } from "nabla/internal";
import { expect, test } from "vitest";
import { arr, count } from "../../reference/array.js";
import { settle } from "../../support/settle.js";
import type { Case, Wrong } from "../cases/case.js";
import { direction, draw, make, makeAll, randomFor, smooth } from "./inputs.js";
import { isFloat, law } from "./law.js";

const sentence = /^\w+: (?:(?!; expected).)+; expected .+, got .+$/;
/** Facts that say what was given themselves, or where there is nothing to say beyond them. */
const alone = new RegExp(
  [
    "disposed of$",
    'unknown option "\\w+"(?: \\(did you mean "\\w+"\\?\\))?; expected [\\w, ]+$',
    'bad index string at character \\d+: ".*"; expected .+$',
    "\\(matrix \\d+ of the batch\\)$",
    "a target is not one of the classes; got -?\\d+$",
  ]
    .map((fact) => `^\\w+: .*${fact}`)
    .join("|"),
);
let calls = 0;

/** Fails unless the call throws the error, in a whole sentence that begins with the op that the user called. */
function expectRefused({ what, call, code, says }: Wrong, op: string | null): void {
  calls++;
  let error: unknown;
  try {
    call();
  } catch (thrown) {
    error = thrown;
  }
  if (error === undefined) expect.fail(`${what}: accepted`);
  if (!(error instanceof NablaError)) expect.fail(`${what}: not a NablaError, but ${String(error)}`);
  expect(error.code, `${what}: ${error.message}`).toBe(code);
  if (!alone.test(error.message)) expect(error.message, what).toMatch(sentence);
  expect(error.message.startsWith(`${error.op}: `), `${what}: the sentence begins with ${error.op}`).toBe(true);
  if (op !== null) expect([op, known[op], op.split(",")[0]], `${what}: ${error.message}`).toContain(error.op);
  if (says !== undefined) expect(error.message, what).toMatch(says);
}

/** Neither tensors nor numbers. */
const strangers: readonly (readonly [string, unknown])[] = [
  ["undefined", undefined],
  ["null", null],
  ["text", "1"],
  ["an array", [1]],
  ["an object", {}],
  ["a bigint", 1n],
  ["true", true],
];
/** What users know an op by, where that is not its name here. */
const known: Readonly<Record<string, string>> = {
  variance: "var",
  linearRelu: "linear",
  softplusBeta: "softplus",
};

/** The dtypes that a case neither tries nor explains. */
function refuseOthers(op: string, of: Case): string[] {
  if (of.others !== undefined || of.inputs.every((input) => input.dtype !== undefined)) return [];
  const sample = of.samples[0]!;
  const xs = draw(of, sample, "uint8", randomFor(`${op} others`));
  const whole = xs.map((x) => arr(x.shape, x.data.map(Math.round)));
  // Halves go where float32 goes.
  const taken = (dtype: DType): boolean => of.dtypes.includes(dtypes[dtype].half ? "float32" : dtype);
  const others = (Object.keys(dtypes) as DType[]).filter((dtype) => !taken(dtype));
  for (const dtype of others)
    expectRefused({ what: dtype, call: () => sample.call(makeAll(of, whole, dtype)), code: "ERR_DTYPE" }, op);
  return others;
}

law("errors", (op, of) => {
  for (const wrong of of.errors) expectRefused(wrong, op);
  const refused = refuseOthers(op, of);
  expect(of.errors.length + refused.length > 0 || of.anyTensor === true, "it has error cases").toBe(true);
  // Whatever stands where a tensor belongs.
  const sample = of.samples.find((one) => one.shapes.every((shape) => count(shape) > 1)) ?? of.samples[0]!;
  const dtype = of.dtypes[0]!;
  const inputs = makeAll(of, draw(of, sample, dtype, randomFor(`${op} errors`)), dtype);
  of.inputs.forEach((input, i) => {
    const others = [
      ...strangers,
      ...(of.operands === undefined && input.orNumber !== true ? [["NaN", Number.NaN] as const] : []),
    ];
    for (const [what, value] of others) {
      if (op === "leakyRelu" && what === "an object") continue; // options in the slope's place
      if (isIndex(op, i) && (value === null || typeof value === "string" || Array.isArray(value))) continue;
      const call = () => sample.call(inputs.map((x, k) => (k === i ? (value as Tensor) : x)));
      if (value === undefined && isOptional(op, i)) expect(call, `${input.name} left out`).not.toThrow();
      else if (value !== null || !isOptional(op, i))
        expectRefused({ what: `${what} for ${input.name}`, call, code: "ERR_ARGUMENT" }, op);
    }
    const gone = make(
      { shape: sample.shapes[i]!, data: Array.from(inputs[i]!.toTypedArray() as ArrayLike<number>, Number) },
      inputs[i]!.dtype,
    );
    gone.dispose();
    const call = () => sample.call(inputs.map((x, k) => (k === i ? gone : x)));
    expectRefused({ what: `a disposed ${input.name}`, call, code: "ERR_DISPOSED" }, prepared.has(op) ? null : op);
  });
  return refused.length === 0 ? "holds" : `refuses ${refused.join(" ")}`;
});

/** Their cases use the input before the op sees it. */
const prepared = new Set(["assign", "cholesky", "eigh"]);

/** Operands that may be left out: biases and weights, first states, the slope of leakyRelu, the bounds of clamp. */
const optional: Readonly<Record<string, readonly number[]>> = {
  linear: [2],
  linearRelu: [2],
  leakyRelu: [1],
  clamp: [1, 2],
  conv1d: [2],
  conv2d: [2],
  convTranspose2d: [2],
  layerNorm: [1, 2],
  rmsNorm: [1],
  groupNorm: [1, 2],
  batchNorm: [3, 4],
  lstm: [5, 6],
  gru: [5],
};
/** Where null, strings and lists are indices too. */
const isIndex = (op: string, place: number): boolean => op === "indexPut" && place === 1;
const isOptional = (op: string, place: number): boolean => optional[op]?.includes(place) === true;

test("the law of errors makes many calls", () => {
  expect(calls).toBeGreaterThan(1000);
  console.log(`law: errors: ${calls} refusals`);
});

law("memory", (op, of) => {
  const sample = of.samples.find((one) => one.shapes.some((shape) => count(shape) > 1)) ?? of.samples[0]!;
  const dtype = of.dtypes[0]!;
  const random = randomFor(`${op} memory`);
  const xs = draw(of, sample, dtype, random);
  const places = isFloat(dtype) ? smooth(of) : [];
  const recorded = isFloat(of.result(dtype)) && of.exempt?.gradient === undefined;
  const u = direction(sample.reference(xs, dtype).shape, random);
  const work = (): void => {
    const inputs = makeAll(of, xs, dtype);
    if (recorded) for (const i of places) inputs[i]!.requiresGrad = true;
    const y = sample.call(inputs);
    if (!y.requiresGrad) return;
    // Once through to the leaves; once by hand, differentiable again; once never used.
    y.backward({ gradient: make(u, y.dtype), retainGraph: true });
    grad(
      y,
      places.map((i) => inputs[i]!),
      { gradOutputs: make(u, y.dtype), createGraph: true, allowUnused: true },
    );
    sample.call(inputs);
  };
  work();
  settle();
  const before = memory();
  const rounds = 16 * layout.blockSlots;
  for (let i = 0; i < rounds; i++) work();
  settle();
  const after = memory();
  // Small results live and die in blocks, the newest of which are still in use: a leak would grow with the rounds.
  expect(after.liveStorages - before.liveStorages, "storages").toBeLessThan(rounds / 2);
  expect(after.liveBytes - before.liveBytes, "bytes").toBeLessThan((rounds / 2) * layout.blockBytes);
  expect(after.handles - before.handles, "handles").toBeLessThan(rounds / 2);
});
