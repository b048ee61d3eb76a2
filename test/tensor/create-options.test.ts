/** Every option of every function that makes tensors from nothing: honored or refused. */
import * as nb from "nabla";
import { RandomGenerator, type Tensor } from "nabla";
import { describe, expect, it } from "vitest";
import { code } from "../autograd/code.js";

type Options = Record<string, unknown>;
type Make = (options?: Options) => Tensor;

const like = nb.ones([2, 2]);
const fixed: Record<string, Make> = {
  tensor: (o) => nb.tensor([1, 0], o),
  scalar: (o) => nb.scalar(1, o),
  zeros: (o) => nb.zeros([2], o),
  ones: (o) => nb.ones([2], o),
  full: (o) => nb.full([2], 1, o),
  zerosLike: (o) => nb.zerosLike(like, o),
  onesLike: (o) => nb.onesLike(like, o),
  fullLike: (o) => nb.fullLike(like, 1, o),
  arange: (o) => nb.arange(2, o),
  "arange, three numbers": (o) => nb.arange(0, 2, 1, o),
  linspace: (o) => nb.linspace(0, 1, 2, o),
  eye: (o) => nb.eye(2, o),
  "eye, two numbers": (o) => nb.eye(2, 3, o),
};
const random: Record<string, Make> = {
  rand: (o) => nb.rand([20], o),
  randn: (o) => nb.randn([20], o),
  randLike: (o) => nb.randLike(nb.ones([20]), o),
  randnLike: (o) => nb.randnLike(nb.ones([20]), o),
  randint: (o) => nb.randint(0, 2, [20], o),
  randperm: (o) => nb.randperm(20, o),
  normal: (o) => nb.normal(1, 2, [20], o),
};
const makers = Object.entries({ ...fixed, ...random });
const floats = ["float32", "float64", "bfloat16", "float16"];
const dtypes = [...floats, "int32", "int64", "uint8", "bool"];
const onlyFloats = ["linspace", "rand", "randn", "randLike", "randnLike", "normal"];

describe.each(makers)("%s", (name, make) => {
  it.each(dtypes)("dtype %s", (dtype) => {
    const refused = (onlyFloats.includes(name) && !floats.includes(dtype)) || (name === "randperm" && dtype === "bool");
    if (refused) expect(code(() => make({ dtype }))).toBe("ERR_DTYPE");
    else expect(make({ dtype }).dtype).toBe(dtype);
  });
  it("requiresGrad", () => {
    for (const dtype of floats) {
      const x = make({ dtype, requiresGrad: true });
      expect([x.dtype, x.requiresGrad, x.isLeaf]).toEqual([dtype, true, true]);
      x.mul(2).sum().backward();
      expect(x.grad!.toTypedArray().every((g) => g === 2)).toBe(true);
    }
    if (!onlyFloats.includes(name))
      expect(code(() => make({ dtype: "int32", requiresGrad: true }))).toBe("ERR_GRADIENT");
    expect(make({ requiresGrad: false }).requiresGrad).toBe(false);
    expect(make({ requiresGrad: undefined }).requiresGrad).toBe(false);
  });
  it("nonsense", () => {
    for (const value of [null, 0, 1, "true", "float", {}, [], Symbol("s")])
      for (const option of ["dtype", "requiresGrad", "generator"])
        expect(code(() => make({ [option]: value }))).toMatch(/^ERR_(ARGUMENT|DTYPE)$/);
    if (name !== "tensor") expect(code(() => make({ shape: [2] }))).toBe("ERR_ARGUMENT");
    expect(code(() => make(null as never))).toBe("ERR_ARGUMENT");
  });
});

describe.each(Object.entries(random))("%s", (_, make) => {
  it("draws from the generator that it is given, and from no other", () => {
    const own = nb.manualSeed(5);
    const before = own.stateDict();
    const [a, b, c] = [1, 1, 2].map((seed) => make({ generator: new RandomGenerator(seed) }).toArray());
    expect(a).toEqual(b);
    expect(a).not.toEqual(c);
    expect(own.stateDict()).toEqual(before);
  });
});

it("randperm is the same order in every dtype that holds it", () => {
  const order = (dtype?: nb.DType): unknown => nb.randperm(100, { dtype, generator: new RandomGenerator(3) }).toArray();
  for (const dtype of ["int32", "int64", "uint8", "float32", "float64", "bfloat16", "float16"] as const)
    expect(order(dtype)).toEqual(order());
  expect(nb.randperm(256, { dtype: "uint8" }).dtype).toBe("uint8");
  expect(code(() => nb.randperm(257, { dtype: "uint8" }))).toBe("ERR_DTYPE");
  expect(nb.randperm(2049, { dtype: "float16" }).dtype).toBe("float16");
  expect(code(() => nb.randperm(2050, { dtype: "float16" }))).toBe("ERR_DTYPE");
  expect(nb.randperm(0, { dtype: "bool" }).dtype).toBe("bool");
});

it("what stands where numbers and options belong", () => {
  for (const value of ["3", true, null, []]) expect(code(() => nb.eye(2, value as never))).toBe("ERR_ARGUMENT");
  expect(code(() => nb.eye(2, { dtype: "int32" }, { requiresGrad: true }))).toBe("ERR_ARGUMENT");
  for (const replacement of [0, "no", null])
    expect(code(() => nb.ones([2]).multinomial(1, { replacement } as never))).toBe("ERR_ARGUMENT");
});
