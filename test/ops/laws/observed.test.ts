/** What is observed is what runs: calls that somebody watches are those that nobody watches, and all of them are seen. */
import {
  checkpoint,
  crossEntropy,
  type DType,
  detectAnomaly,
  layerNorm,
  manualSeed,
  matmul,
  NablaError,
  nn,
  optim,
  randn,
  scaledDotProductAttention,
  type Tensor,
  tensor,
} from "nabla";
import { mode } from "nabla/internal";
import { describe, expect, it, test } from "vitest";
import { atTheDoor } from "../../support/door.js";
import type { Case, Sample } from "../cases/case.js";
import { cases } from "../cases/index.js";
import { bits, draw, makeAll, randomFor, small, smooth } from "./inputs.js";
import { isFloat } from "./law.js";

/** The same as an interceptor sees it, which lets every call pass. */
function watched<T>(f: () => T): { result: T; kernels: string[]; seen: string[] } {
  const seen: string[] = [];
  mode.intercept = (call) => {
    const results = call.run();
    expect(results.map((x) => [x.dtype, x.shape])).toEqual(call.results.map((x) => [x.type.name, x.shape]));
    const { row, inputs, targets } = call;
    // A residual is for the derivative alone.
    const recorded = (results[0] as unknown as { node: { saved?: readonly unknown[] } | null }).node;
    const outs = results.length + (recorded?.saved?.length === inputs.length + 2 ? 1 : 0);
    if (row.kernel !== null) seen.push(`${row.kernel}/${targets.length > 0 ? targets.length : outs}/${inputs.length}`);
    return results;
  };
  try {
    return { ...atTheDoor(f), seen };
  } finally {
    mode.intercept = null;
  }
}

/** The result of a call on leaves, and their gradients, along a cotangent that no op has made. */
function everything(op: string, of: Case, sample: Sample, dtype: DType): string[] {
  const xs = makeAll(of, draw(of, sample, dtype, randomFor(`${op} ${sample.label} observed`)), dtype);
  const places = smooth(of).filter((i) => isFloat(xs[i]!.dtype));
  for (const i of places) xs[i]!.requiresGrad = true;
  manualSeed(7);
  const y = sample.call(xs);
  if (!y.requiresGrad) return [bits(y)];
  const values = Array.from({ length: y.numel }, (_, i) => Math.sin(i + 1));
  const u = tensor(values, { shape: y.shape, dtype: y.dtype });
  y.backward({ gradient: u });
  return [bits(y), ...places.map((i) => (xs[i]!.grad === null ? "none" : bits(xs[i]!.grad!)))];
}

/** float32 and the halves where it takes floats, else the first of its dtypes. */
const dtypesOf = (of: Case): DType[] =>
  of.dtypes.includes("float32") && smooth(of).length > 0
    ? ["float32", "bfloat16", "float16"]
    : of.dtypes.includes("float32")
      ? ["float32"]
      : of.dtypes.slice(0, 1);

const allFinite = (part: string): boolean => {
  const [dtype, , data] = part.split(" ");
  if (part === "none" || !isFloat(dtype!)) return true;
  const bytes = Buffer.from(data!, "base64");
  const values =
    dtype === "float64"
      ? new Float64Array(new Uint8Array(bytes).buffer)
      : new Float32Array(new Uint8Array(bytes).buffer);
  return values.every(Number.isFinite);
};

describe("every op", () => {
  test.each([...cases])("%s", (op, of) => {
    for (const dtype of dtypesOf(of))
      for (const sample of small(of)) {
        const where = `${sample.label} in ${dtype}`;
        const run = () => everything(op, of, sample, dtype);
        const plain = atTheDoor(run);
        const { result, kernels, seen } = watched(run);
        expect(result, where).toEqual(plain.result);
        expect(kernels, `${where}: what runs`).toEqual(plain.kernels);
        expect(seen, `${where}: what is seen`).toEqual(kernels);
        if (plain.result.every(allFinite)) expect(detectAnomaly(run), `${where}: detectAnomaly`).toEqual(plain.result);
      }
  });
});

class Block extends nn.Module {
  conv = new nn.Conv2d(1, 4, 3, { padding: 1 });
  norm = new nn.BatchNorm2d(4);
  before = new nn.LayerNorm(16);
  heads = new nn.MultiheadAttention(16, 2);
  after = new nn.RMSNorm(16);
  hidden = new nn.Linear(16, 16);
  out = new nn.Linear(64, 3);
  override forward(x: Tensor): Tensor {
    const images = this.norm.forward(this.conv.forward(x)).relu().reshape([-1, 4, 16]);
    const seen = this.before.forward(images);
    const mixed = images.add(this.heads.forward(seen, seen, seen, { needWeights: false })[0]);
    // The same weights twice, so that gradients are added up.
    const deep = checkpoint(
      (h: Tensor) => this.hidden.forward(this.hidden.forward(h).gelu()),
      this.after.forward(mixed),
    );
    return this.out.forward(deep.reshape([-1, 64]));
  }
}

const optimizers: Record<
  string,
  (params: Iterable<Tensor>) => { step(closure?: () => Tensor): unknown; zeroGrad(): void }
> = {
  SGD: (params) => new optim.SGD(params, { lr: 0.05, momentum: 0.9 }),
  Adam: (params) => new optim.Adam(params, { lr: 0.01 }),
  AdamW: (params) => new optim.AdamW(params, { lr: 0.01 }),
  RMSprop: (params) => new optim.RMSprop(params, { lr: 0.01, momentum: 0.9, centered: true }),
  Adagrad: (params) => new optim.Adagrad(params, { lr: 0.01 }),
  Lion: (params) => new optim.Lion(params, { lr: 0.01 }),
  LBFGS: (params) => new optim.LBFGS(params, { lr: 0.1, maxIter: 3 }),
};

describe("training, watched and not: losses, gradients, parameters and kernels", () => {
  it.each(Object.entries(optimizers))("%s", (_, make) => {
    const train = (): string[] => {
      manualSeed(3);
      const model = new Block();
      const opt = make(model.parameters());
      const x = randn([8, 1, 4, 4]);
      const target = tensor([0, 1, 2, 0, 1, 2, 0, 1], { dtype: "int32" });
      const trail: string[] = [];
      for (let step = 0; step < 3; step++) {
        const loss = (): Tensor => {
          opt.zeroGrad();
          const y = crossEntropy(model.forward(x), target);
          y.backward();
          optim.clipGradNorm(model.parameters(), 1);
          trail.push(bits(y.detach()), ...[...model.parameters()].map((p) => bits(p.grad!)));
          return y;
        };
        if (opt instanceof optim.LBFGS) opt.step(loss);
        else {
          loss();
          opt.step();
        }
        trail.push(...[...model.parameters()].map((p) => bits(p.detach())));
      }
      return [...trail, ...Object.values(model.stateDict()).map((x) => bits(x as Tensor))];
    };
    const plain = atTheDoor(train);
    const { result, kernels, seen } = watched(train);
    expect(kernels).toEqual(plain.kernels);
    expect(seen).toEqual(kernels);
    expect(result).toEqual(plain.result);
    expect(detectAnomaly(train)).toEqual(plain.result);
    for (const kernel of [
      "attentionBackward",
      "scaledNormBackward",
      "batchNormBackward",
      "crossEntropyFinish",
      "addmm",
    ])
      expect(
        kernels.some((call) => call.startsWith(`${kernel}/`)),
        kernel,
      ).toBe(true);
  });
});

describe("detectAnomaly sees what a kernel of several results, or one that writes, makes", () => {
  const refusal = (f: () => unknown): string => {
    try {
      detectAnomaly(f as () => undefined);
    } catch (error) {
      if (error instanceof NablaError) return error.message;
      throw error;
    }
    return expect.fail("nothing was thrown");
  };
  const leaf = (values: number[][] | number[]): Tensor => tensor(values, { requiresGrad: true });

  it("attention's backward", () => {
    const [q, k, v] = [
      leaf([[1, 0]]),
      leaf([
        [1, 2],
        [3, 4],
      ]),
      leaf([
        [100, 1],
        [2, 100],
      ]),
    ];
    const y = scaledDotProductAttention(q!, k!, v!);
    const message = refusal(() => y.backward({ gradient: tensor([[3e38, 3e38]]) }));
    expect(message).toMatch(/^scaledDotProductAttention: the first (NaN|infinity) is in the gradient by input 0/);
  });

  it("a norm's backward", () => {
    const y = layerNorm(leaf([[1, 2, 4]]), 3, { weight: leaf([3e30, 3e30, -3e30]), bias: leaf([0, 0, 0]) });
    const message = refusal(() => y.backward({ gradient: tensor([[3e30, -3e30, 1e30]]) }));
    expect(message).toMatch(/^layerNorm: the first (NaN|infinity) is in the gradient by input 0/);
  });

  it("a product added to the gradient that there is", () => {
    const w = leaf([
      [1, 2],
      [3, 4],
    ]);
    const x = tensor([[1e30, 1e30]]);
    const ys = [1, 1, 1e30].map((slope) => matmul(x, w).mul(slope).sum());
    const message = refusal(() => ys.reduce((a, b) => a.add(b)).backward());
    expect(message).toMatch(/^matmul: the first infinity is in the gradient by input 1/);
  });

  it("an optimizer's step, and clipping", () => {
    const w = leaf([1, 2]);
    w.grad = tensor([3e38, 3e38]);
    expect(refusal(() => new optim.SGD([w], { lr: 1e30 }).step())).toMatch(
      /^sgd: the first infinity is in this result/,
    );
  });

  it("an op on halves, by its own name", () => {
    const x = tensor([12], { dtype: "float16" });
    expect(refusal(() => x.exp().item())).toMatch(/^exp: the first infinity is in this result/);
    const w = tensor([12], { dtype: "float16", requiresGrad: true });
    expect(refusal(() => w.exp().detach().item())).toMatch(/^exp: the first infinity is in this result/);
  });
});
