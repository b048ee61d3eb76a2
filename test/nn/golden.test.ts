import { readFileSync } from "node:fs";
import { grad, nn, type Tensor, tensor, zeros } from "nabla";
import { describe, expect, test } from "vitest";

type Values = number | boolean | Values[];
type Options = Record<string, Values>;
interface Golden {
  functions: {
    name: string;
    inputs: Values[];
    options: Options;
    out: Values;
    cotangent: Values;
    gradients: Values[];
  }[];
  batchNorm: { batches: Values[]; state: Record<string, Values>; out: Values };
  multihead: {
    state: Record<string, Values>;
    inputs: Values[];
    calls: { options: Options; out: Values; weights: Values }[];
  };
}
const golden: Golden = JSON.parse(readFileSync(new URL("./golden.json", import.meta.url), "utf8"));

const make = (values: Values): Tensor => tensor(values as number[], { dtype: "float64" });
function close(actual: Tensor, expected: Values, tolerance = 1e-12): void {
  const [a, b] = [[actual.toArray()].flat(9), [expected].flat(9)] as [number[], number[]];
  expect(a).toHaveLength(b.length);
  a.forEach((x, i) => {
    expect(Math.abs(x - b[i]!)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(b[i]!)));
  });
}

/** How the tensors and options of a case are handed over; a loss takes them as they are, as convolutions do. */
function call(name: string, xs: Tensor[], options: Options): Tensor {
  const f = nn.functional as unknown as Record<string, (...args: unknown[]) => Tensor>;
  const [x, weight, bias] = xs;
  const { normalizedShape, numGroups, kernelSize, outputSize, ...rest } = options;
  const affine = { ...rest, weight, ...(bias === undefined ? {} : { bias }) };
  switch (name) {
    case "layerNorm":
    case "rmsNorm":
      return f[name]!(x, normalizedShape, affine);
    case "groupNorm":
      return f[name]!(x, numGroups, affine);
    case "batchNorm":
      return f[name]!(x, null, null, affine);
    case "maxPool2d":
    case "avgPool2d":
      return f[name]!(x, kernelSize, rest);
    case "adaptiveAvgPool2d":
      return f[name]!(x, outputSize);
    default:
      return f[name]!(...xs, rest);
  }
}

describe("values and gradients as PyTorch's", () => {
  test.each(golden.functions.map((of) => [`${of.name} ${JSON.stringify(of.options)}`, of] as const))("%s", (_, of) => {
    const xs = of.inputs.map((values) => {
      const x = make(values);
      x.requiresGrad = true;
      return x;
    });
    const out = call(of.name, xs, of.options);
    close(out, of.out);
    grad(out, xs, { gradOutputs: make(of.cotangent) }).forEach((g, i) => {
      close(g!, of.gradients[i]!);
    });
  });
});

test("BatchNorm2d: running values, their names, and what they give after eval()", () => {
  const { batches, state, out } = golden.batchNorm;
  const layer = new nn.BatchNorm2d(3, { momentum: 0.3, dtype: "float64" });
  for (const batch of batches) layer.forward(make(batch));
  const own = layer.stateDict();
  expect(Object.keys(own)).toEqual(Object.keys(state));
  for (const [key, values] of Object.entries(state)) close(own[key]!, values);
  close(layer.eval().forward(make(batches[0]!)), out);
  expect(layer.numBatchesTracked!.item()).toBe(3);
  const other = new nn.BatchNorm2d(3, { dtype: "float64" });
  other.loadStateDict(own);
  close(other.eval().forward(make(batches[0]!)), out);
});

describe("MultiheadAttention", () => {
  const { state, inputs, calls } = golden.multihead;
  const load = (batchFirst: boolean): nn.MultiheadAttention => {
    const layer = new nn.MultiheadAttention(6, 3, { batchFirst, dtype: "float64" });
    expect(Object.keys(layer.stateDict())).toEqual(Object.keys(state));
    layer.loadStateDict(Object.fromEntries(Object.entries(state).map(([key, values]) => [key, make(values)])));
    return layer;
  };
  const read = (options: Options): nn.MultiheadCallOptions =>
    Object.fromEntries(
      Object.entries(options).map(([name, value]) => [name, Array.isArray(value) ? maskOf(value) : value]),
    );
  const maskOf = (values: Values[]): Tensor => {
    const isBool = typeof [values].flat(9)[0] === "boolean";
    return tensor(values as number[], { dtype: isBool ? "bool" : "float64" });
  };
  const [query, key, value] = inputs.map(make) as [Tensor, Tensor, Tensor];
  test.each(calls.map((of) => [Object.keys(of.options).join(), of] as const))("with %s", (_, of) => {
    const [out, weights] = load(false).forward(query, key, value, read(of.options));
    close(out, of.out);
    close(weights!, of.weights);
    const transposed = [query, key, value].map((x) => x.transpose(0, 1)) as [Tensor, Tensor, Tensor];
    const [first, none] = load(true).forward(...transposed, { ...read(of.options), needWeights: false });
    close(first.transpose(0, 1), of.out);
    expect(none).toBe(null);
  });
  test("isCausal hides what a mask of its own would, beside other masks too", () => {
    const layer = load(false);
    const later = tensor(
      Array.from({ length: 4 }, (_, i) => Array.from({ length: 5 }, (_, j) => (j > i ? 1 : 0))),
      { dtype: "bool" },
    );
    const keyPaddingMask = maskOf([
      [false, false, true, false, false],
      [false, true, true, false, false],
    ]);
    for (const more of [{}, { keyPaddingMask }]) {
      const [a] = layer.forward(query, key, value, { isCausal: true, ...more });
      const [b] = layer.forward(query, key, value, { attnMask: later, ...more });
      close(a, b.toArray<Values[]>(), 1e-14);
    }
    const attnMask = zeros([4, 5], { dtype: "float64" });
    const [c] = layer.forward(query, key, value, { isCausal: true, attnMask });
    close(c, layer.forward(query, key, value, { attnMask: later })[0].toArray<Values[]>(), 1e-14);
  });
});
