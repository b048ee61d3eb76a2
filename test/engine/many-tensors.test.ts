/** One native call holds 23,130 tensors; what is given more makes several calls, with the same bits. */
import {
  arange,
  cat,
  checkpoint,
  customFunction,
  DataLoader,
  DataParallel,
  type DType,
  grad,
  jvp,
  nn,
  noGrad,
  ones,
  optim,
  rand,
  randn,
  scope,
  stack,
  type Tensor,
  tensor,
  vmap,
  zeros,
} from "nabla";
import { describe, expect, test } from "vitest";

const many = 100_000;
const bits = (x: Tensor): Uint8Array => {
  const array = x.detach().toTypedArray();
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
};
const sameBits = (a: Tensor, b: Tensor): void => {
  expect([a.dtype, a.shape]).toEqual([b.dtype, b.shape]);
  expect(Buffer.compare(bits(a), bits(b))).toBe(0);
};
/** Leaves of one element each, and their gradients. */
function leaves(values: Tensor, gradients: Tensor): Tensor[] {
  return noGrad(() => {
    const [pieces, slopes] = [values.split(1), gradients.split(1)];
    return pieces.map((piece, i) => {
      const leaf = piece.clone();
      leaf.requiresGrad = true;
      leaf.grad = slopes[i]!.clone();
      return leaf;
    });
  });
}
const together = (list: readonly Tensor[]): Tensor => noGrad(() => cat(list));
const gradients = (list: readonly Tensor[]): Tensor => together(list.map((x) => x.grad!));

describe("an optimizer over 30,000 and 100,000 parameters steps as over one of as many elements", () => {
  test.each([
    ["SGD", {}, "float32", 30_000],
    ["SGD", { momentum: 0.9 }, "float64", 30_000],
    ["Adam", {}, "float32", 100_000],
    ["AdamW", {}, "bfloat16", 30_000],
    ["RMSprop", { momentum: 0.9, centered: true }, "float32", 30_000],
    ["Adagrad", {}, "float32", 30_000],
    ["Lion", {}, "float32", 30_000],
  ] as ["SGD" | "Adam" | "AdamW" | "RMSprop" | "Adagrad" | "Lion", object, DType, number][])(
    "%s %o %s",
    (name, options, dtype, n) => {
      const [value, slope] = [randn([n]).to(dtype), randn([n]).to(dtype)];
      const whole = value.clone();
      whole.requiresGrad = true;
      whole.grad = slope;
      const parts = leaves(value, slope);
      const [one, all] = [new optim[name]([whole], options), new optim[name](parts, options)];
      for (let i = 0; i < 2; i++) {
        one.step();
        all.step();
      }
      sameBits(together(parts), whole);
      const { state } = all.stateDict();
      for (const [key, kept] of Object.entries(one.stateDict().state[0] ?? {})) {
        const each = parts.map((_, i) => state[i]![key]!);
        if (typeof kept === "number") expect(new Set(each)).toEqual(new Set([kept]));
        else sameBits(together(each as Tensor[]), kept);
      }
    },
  );

  test("a disposed one among them is refused before any is stepped", () => {
    const parts = leaves(ones([30_000]), ones([30_000]));
    const opt = new optim.SGD(parts, { lr: 1 });
    parts.at(-1)!.dispose();
    expect(() => opt.step()).toThrow(expect.objectContaining({ code: "ERR_DISPOSED" }));
    expect(parts[0]!.item()).toBe(1);
  });
});

test("clipGradNorm and clipGradValue over 100,000 parameters", () => {
  const slope = randn([many]);
  const parts = leaves(zeros([many]), slope);
  optim.clipGradValue(parts, 0.5);
  sameBits(gradients(parts), slope.clamp({ min: -0.5, max: 0.5 }));
  const before = gradients(parts);
  const norm = optim.clipGradNorm(parts, 1).item();
  expect(Math.abs(norm / before.norm().item() - 1)).toBeLessThan(1e-5);
  sameBits(gradients(parts), before.mul(tensor(1).div(tensor(norm).add(1e-6))));
});

describe("cat and stack", () => {
  test("of 30,000 and 100,000", () => {
    const x = randn([2, many]);
    for (const n of [23_129, 23_130, 30_000, many]) {
      const part = x.narrow(1, 0, n);
      sameBits(cat(part.split(1, 1), 1), part.contiguous());
      sameBits(stack(part.unbind(1), 1), part.contiguous());
    }
  });

  test("of several dtypes: each element is converted once", () => {
    const large = tensor([2n ** 53n - 1n], { dtype: "int64" });
    const list = [...Array.from({ length: 30_000 }, () => large), tensor([0.5]), tensor([0.5], { dtype: "float64" })];
    const joined = cat(list);
    expect(joined.dtype).toBe("float64");
    expect([joined.at(0).item(), joined.at(-1).item()]).toEqual([2 ** 53 - 1, 0.5]);
    const halves = cat(
      [...Array.from({ length: 30_000 }, () => tensor([1 + 2 ** -7])), tensor([1])].map((x) => x.to("bfloat16")),
    );
    expect([halves.dtype, halves.at(0).item()]).toEqual(["bfloat16", 1 + 2 ** -7]);
  });

  test("gradient, forward mode and vmap", () => {
    const [x, weights] = [randn([30_000]), randn([30_000])];
    const f = (y: Tensor): Tensor => cat(y.split(1)).mul(weights).sum();
    sameBits(grad(f)(x), weights);
    const [, tangent] = jvp((y: Tensor) => cat(y.split(1)), [x], [weights]);
    sameBits(tangent, weights);
    const rows = randn([3, 30_000]);
    sameBits(vmap((row: Tensor) => cat(row.split(1)))(rows), rows);
  });
});

test("what a graph keeps of 30,000 tensors", () => {
  const x = randn([30_000]);
  const double = customFunction({
    name: "double",
    forward: (...args: Tensor[]) => [cat(args).mul(2), args] as [Tensor, Tensor[]],
    backward: (saved: Tensor[], g: Tensor) => saved.map((_, i) => g.narrow(0, i, 1).mul(2)),
  });
  const parts = x.split(1).map((piece) => piece.clone());
  for (const part of parts) part.requiresGrad = true;
  double(...parts)
    .sum()
    .backward();
  expect(gradients(parts).eq(2).all().item()).toBe(1);
  for (const part of parts) part.grad = null;
  checkpoint((...args: Tensor[]) => cat(args).square().sum(), ...parts).backward();
  sameBits(gradients(parts), x.mul(2));
});

test("a batch of 30,000 samples", () => {
  const x = arange(60_000).reshape([30_000, 2]);
  const samples = x.unbind().map((row, i) => [row, i] as [Tensor, number]);
  const [[rows, places]] = [...new DataLoader(samples, { batchSize: 30_000 })] as [[Tensor, Tensor]];
  sameBits(rows, x);
  expect(places.shape).toEqual([30_000]);
});

test("a scope whose result is a set of 200,000 tensors", () => {
  const kept = scope(() => new Set(zeros([200_000]).split(1)));
  expect([...kept].at(-1)!.item()).toBe(0);
});

test("DataParallel over 12,000 parameters and two shards", async () => {
  const dp = new DataParallel(new URL("../parallel/jobs/many-parameters.mjs", import.meta.url), {
    workers: 0,
    shards: 2,
  });
  const x = rand([4, 12_000]);
  await dp.backward([x]);
  const got = gradients(dp.model.parameters());
  const [a, b] = x.split(2) as [Tensor, Tensor];
  sameBits(got, a.mean(0).add(b.mean(0)).div(2));
  expect(dp.model instanceof nn.Module).toBe(true);
  await dp.close();
});
