/** Attention's kernel against its mathematics in other ops, where the laws' samples do not reach: several blocks of each kind. */
import "./laws/seven-threads.js";
import * as nb from "nabla";
import { addon } from "nabla/internal";
import { afterAll, describe, expect, test } from "vitest";
import { bits } from "./laws/inputs.js";

interface Setting {
  readonly what: string;
  readonly lead?: readonly number[];
  readonly groups?: number;
  readonly sizes: readonly [queries: number, keys: number, size: number, width: number];
  readonly mask?: "bool" | "float";
  readonly options?: Omit<nb.AttentionOptions, "attnMask" | "enableGqa">;
}

// Kept weights up to 1,024 keys, blocks of 48 and 96 queries, 128 and 512 keys; sums of products in parts of 256.
const settings: readonly Setting[] = [
  { what: "one block", sizes: [5, 7, 3, 4] },
  { what: "several blocks", sizes: [200, 300, 20, 24] },
  { what: "causal", sizes: [130, 200, 16, 8], options: { isCausal: true } },
  { what: "causal, more queries than keys", sizes: [200, 130, 16, 8], options: { isCausal: true } },
  { what: "deep products", sizes: [50, 60, 300, 270] },
  { what: "weights made again", sizes: [100, 1100, 8, 12] },
  { what: "weights made again, causal", sizes: [1100, 1100, 4, 4], options: { isCausal: true, scale: 0.3 } },
  { what: "many items", lead: [3, 6], sizes: [20, 30, 4, 5] },
  { what: "keys hidden", sizes: [50, 150, 8, 8], mask: "bool" },
  { what: "keys hidden, weights made again", sizes: [50, 1060, 4, 4], mask: "bool" },
  { what: "scores added", sizes: [50, 150, 8, 8], mask: "float" },
  { what: "scores added, weights made again", sizes: [50, 1060, 4, 4], mask: "float" },
  { what: "weights dropped", sizes: [50, 150, 8, 8], options: { dropoutP: 0.3 } },
  { what: "weights dropped, made again, causal", sizes: [530, 1060, 4, 4], options: { dropoutP: 0.3, isCausal: true } },
  { what: "grouped heads", lead: [2, 4], groups: 2, sizes: [110, 140, 4, 4], options: { isCausal: true } },
];

function operands({ lead = [2], groups = 1, sizes, mask, options = {} }: Setting, dtype: nb.DType) {
  nb.manualSeed(7);
  const [queries, keys, size, width] = sizes;
  const own = [...lead.slice(0, -1), lead.at(-1)! / groups];
  const draw = (shape: readonly number[]): nb.Tensor => nb.randn(shape, { dtype });
  const inputs = [draw([...lead, queries, size]), draw([...own, keys, size]), draw([...own, keys, width])];
  // One query sees no key at all.
  const blind = nb.arange(queries).unsqueeze(1).eq(3);
  const seen = nb.rand([queries, keys]).gt(0.5).logicalAnd(blind.logicalNot());
  const attnMask = mask === "bool" ? seen : mask === "float" ? blind.where(-Infinity, draw([queries, keys])) : null;
  return { inputs, gradient: draw([...lead, queries, width]), given: { ...options, attnMask, enableGqa: groups > 1 } };
}

/** The result and the gradients: by the kernel, or with createGraph by other ops. */
function both(of: Setting, dtype: nb.DType, createGraph: boolean): nb.Tensor[] {
  const { inputs, gradient, given } = operands(of, dtype);
  const [q, k, v] = inputs.map((x) => nb.tensor(x.toTypedArray(), { shape: x.shape, dtype, requiresGrad: true }));
  nb.manualSeed(9);
  const y = nb.scaledDotProductAttention(q!, k!, v!, given);
  y.backward({ gradient, createGraph });
  return [y.detach(), ...[q, k, v].map((x) => x!.grad!.detach())];
}

/** The result by the formula. */
function formula(of: Setting): nb.Tensor {
  const { inputs, given } = operands(of, "float64");
  const { groups = 1 } = of;
  const [q, k, v] = inputs.map((x, i) => (i === 0 ? x : x.repeatInterleave(groups, -3)));
  let scores = q!.matmul(k!.transpose(-2, -1)).mul(given.scale ?? 1 / Math.sqrt(of.sizes[2]));
  if (given.isCausal) scores = nb.arange(of.sizes[0]).unsqueeze(1).ge(nb.arange(of.sizes[1])).where(scores, -Infinity);
  if (of.mask === "bool") scores = given.attnMask!.where(scores, -Infinity);
  if (of.mask === "float") scores = scores.add(given.attnMask!);
  const weights = scores.softmax(-1).nanToNum({ nan: 0 });
  nb.manualSeed(9);
  return nb.dropout(weights, given.dropoutP ?? 0).matmul(v!);
}

const distance = (a: nb.Tensor, b: nb.Tensor): number => a.sub(b).abs().amax().item() / b.abs().amax().item();

describe("attention", () => {
  const threads = addon.threads();
  afterAll(() => nb.setNumThreads(threads));
  test.each(settings)("in blocks is the formula: $what", (of) => {
    expect(distance(both(of, "float64", false)[0]!, formula(of))).toBeLessThan(1e-14);
  });
  test.each(settings)("has the gradients of the formula: $what", (of) => {
    for (const [dtype, bound] of [
      ["float64", 1e-14],
      ["float32", 4e-6],
    ] as const) {
      const byOps = both(of, dtype, true);
      for (const [i, x] of both(of, dtype, false).entries()) expect(distance(x, byOps[i]!)).toBeLessThan(bound);
    }
  });
  test.each(settings)("gives the same bits on any number of threads and every instruction set: $what", (of) => {
    const all = () => both(of, "float32", false).map(bits);
    nb.setNumThreads(1);
    const expected = all();
    const { inputs, given } = operands(of, "float32");
    nb.manualSeed(9);
    expect(bits(nb.scaledDotProductAttention(inputs[0]!, inputs[1]!, inputs[2]!, given))).toEqual(expected[0]);
    nb.setNumThreads(7);
    expect(all()).toEqual(expected);
    const chosen = addon.isa();
    try {
      addon.isa("scalar");
      expect(all()).toEqual(expected);
    } finally {
      addon.isa(chosen);
    }
  });
});

describe("a norm with a weight", () => {
  const rows = [
    [1, 1],
    [3, 40],
    [300, 100],
    [9000, 5],
    [4, 2100],
  ] as const;
  const norms = {
    layerNorm: (x: nb.Tensor, weight: nb.Tensor, bias: nb.Tensor) => nb.layerNorm(x, x.shape[1]!, { weight, bias }),
    rmsNorm: (x: nb.Tensor, weight: nb.Tensor) => nb.rmsNorm(x, x.shape[1]!, { weight }),
  };
  const gradients = (norm: keyof typeof norms, shape: readonly number[], createGraph: boolean): nb.Tensor[] => {
    nb.manualSeed(5);
    const draw = (of: readonly number[]) => nb.randn(of, { dtype: "float64", requiresGrad: true });
    const inputs = [draw(shape), draw([shape[1]!]), draw([shape[1]!])] as const;
    norms[norm](...inputs).backward({ gradient: draw(shape).detach(), createGraph });
    return inputs.slice(0, norm === "layerNorm" ? 3 : 2).map((x) => x.grad!.detach());
  };
  test.each(rows.flatMap((shape) => [["layerNorm", shape] as const, ["rmsNorm", shape] as const]))(
    "has the gradients of its composition: %s of %j",
    (norm, shape) => {
      const byOps = gradients(norm, shape, true);
      const scale = (x: nb.Tensor): number => x.abs().amax().item() + 1;
      for (const [i, x] of gradients(norm, shape, false).entries())
        expect(x.sub(byOps[i]!).abs().amax().item()).toBeLessThan(1e-12 * scale(byOps[i]!));
    },
  );
});
