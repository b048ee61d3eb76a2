/** Arguments that no program means to give: what they meet is a NablaError. */

import * as nabla from "nabla";
import {
  DataLoader,
  decodeIdx,
  isTensor,
  NablaError,
  nn,
  ones,
  optim,
  scalar,
  type Tensor,
  TensorDataset,
  tensor,
  zeros,
} from "nabla";
import { afterEach, describe, expect, it } from "vitest";
import { code, thrown } from "../autograd/code.js";

const nonsense: unknown[] = [undefined, null, 3, "text", Symbol("s"), 5n, {}, new Map(), new Date(Number.NaN), [3]];
const make = (type: unknown, ...args: unknown[]): unknown => Reflect.construct(type as new () => unknown, args);

describe("nonsense", () => {
  it("as bytes of IDX", () => {
    for (const value of nonsense) expect(code(() => decodeIdx(value as never))).toBe("ERR_ARGUMENT");
    expect(code(() => decodeIdx(Uint8Array.of(0, 0, 8, 0, 9), 3 as never))).toBe("ERR_ARGUMENT");
  });

  it("as sizes and dimensions, also where the message lists them", () => {
    const detached = new Int8Array(1);
    structuredClone(detached, { transfer: [detached.buffer] });
    const throws = {
      toString: () => {
        throw new Error("not a NablaError");
      },
    };
    const x = zeros([4, 2]);
    for (const value of [...nonsense.filter((value) => value !== 3), detached, throws])
      for (const name of [
        "expand",
        "broadcastTo",
        "reshape",
        "permute",
        "repeat",
        "flip",
        "sum",
        "pad",
        "roll",
      ] as const)
        for (const list of [[3, value], [value, 3], [4, 2, value], [value]])
          expect(() => Reflect.apply(x[name as "sum"], x, [list]), name).toThrow(NablaError);
  });

  it("as entries of containers", () => {
    for (const value of nonsense.filter((value) => value !== undefined && !(value instanceof Map))) {
      expect(code(() => make(nn.ModuleList, value))).toBe("ERR_ARGUMENT");
      if (Object.keys(Object(value)).length > 0 || typeof value !== "object" || value === null)
        expect(code(() => make(nn.ModuleDict, value))).toBe("ERR_ARGUMENT");
      expect(code(() => make(nn.Sequential, value))).toBe("ERR_ARGUMENT");
    }
    expect(code(() => new nn.ModuleList([new nn.ReLU()]).at(Symbol("s") as never))).toBe("ERR_ARGUMENT");
    expect(code(() => new nn.Sequential(new nn.ReLU()).at({} as never))).toBe("ERR_ARGUMENT");
    expect(code(() => new nn.ReLU().apply(3 as never))).toBe("ERR_ARGUMENT");
  });

  it("as data and parameters", () => {
    const parameter = tensor([1], { requiresGrad: true });
    for (const value of nonsense) {
      expect(code(() => make(TensorDataset, value))).toBe("ERR_ARGUMENT");
      if (!Array.isArray(value)) expect(code(() => make(DataLoader, value))).toBe("ERR_ARGUMENT");
      for (const optimizer of [optim.SGD, optim.Adam, optim.LBFGS])
        expect(code(() => make(optimizer, value))).toBe("ERR_ARGUMENT");
      if (value !== undefined && !(value instanceof Map)) {
        expect(code(() => new optim.SGD([parameter], { lr: 0.1 }).step(value as never))).toBe("ERR_ARGUMENT");
        expect(code(() => optim.clipGradNorm(value as never, 1))).toBe("ERR_ARGUMENT");
        expect(code(() => optim.clipGradValue(value as never, 1))).toBe("ERR_ARGUMENT");
      }
    }
  });

  it("as what a module's hook returns", () => {
    for (const value of nonsense.filter((value) => value !== undefined)) {
      const layer = new nn.Linear(2, 2);
      layer.registerForwardHook(() => value as never);
      expect(code(() => layer.forward(ones([1, 2])))).toBe("ERR_ARGUMENT");
    }
  });
});

it("what a renaming returns, and a smoothing", () => {
  const layer = new nn.Linear(2, 2);
  for (const value of nonsense.filter((value) => typeof value !== "string")) {
    expect(code(() => layer.loadStateDict(layer.stateDict(), { rename: () => value as never }))).toBe("ERR_ARGUMENT");
    if (value !== undefined && value !== null)
      expect(
        code(() =>
          nabla.crossEntropy(ones([1, 2]), tensor([0], { dtype: "int32" }), { labelSmoothing: value as never }),
        ),
      ).toBe("ERR_ARGUMENT");
  }
});

it("what a function of no elements returns", () => {
  for (const value of nonsense)
    for (const way of [nabla.jacfwd, nabla.jacrev, nabla.jacobian, nabla.hessian])
      expect(code(() => way((() => value) as never)(zeros([2, 0])))).toBe("ERR_ARGUMENT");
  expect(nabla.jacfwd((x: Tensor) => x.sum())(zeros([2, 0])).shape).toEqual([2, 0]);
});

it("anything inside the state of an optimizer", () => {
  for (const type of [optim.SGD, optim.Adam, optim.RMSprop, optim.LBFGS]) {
    const parameter = tensor([1, 2], { requiresGrad: true });
    const optimizer = new type([parameter], { lr: 0.1 });
    for (const value of nonsense) {
      const load = (state: unknown): string => code(() => optimizer.loadStateDict(state as never));
      expect(load(value)).toBe("ERR_ARGUMENT");
      expect(load({ state: {}, paramGroups: [value] })).toBe("ERR_ARGUMENT");
      if (!Array.isArray(value)) expect(load({ state: {}, paramGroups: [{ params: value }] })).toBe("ERR_ARGUMENT");
      if (value !== undefined && !(type === optim.SGD && typeof value === "object" && value !== null))
        expect(load({ state: { 0: value }, paramGroups: [{ params: [0] }] })).toBe("ERR_ARGUMENT");
      if (typeof value !== "number" && typeof value !== "string")
        expect(load({ state: {}, paramGroups: [{ params: [value] }] })).toBe("ERR_ARGUMENT");
    }
    let reads = 0;
    const turning = {
      state: {},
      get paramGroups() {
        return reads++ === 0 ? [{ params: [0] }] : null;
      },
    };
    optimizer.loadStateDict(turning as never);
    expect(optimizer.paramGroups).toHaveLength(1);
  }
});

it("a list with holes", () => {
  const holes = new Array(2) as Tensor[];
  const y = tensor([2], { requiresGrad: true }).square().sum();
  expect(code(() => nabla.grad(y, holes))).toBe("ERR_ARGUMENT");
  expect(code(() => nabla.grad([y, ...holes], [y]))).toBe("ERR_ARGUMENT");
  expect(code(() => nabla.cat(holes))).toBe("ERR_ARGUMENT");
});

describe("a list with a hole is one with undefined", () => {
  const x = ones([2, 2]);
  const descent = (): optim.SGD => new optim.SGD([tensor([1], { requiresGrad: true })], { lr: 0.1 });
  const steps = (by: optim.SGD): optim.StepLR => new optim.StepLR(by, { stepSize: 1 });
  const calls: Record<string, (holes: (n: number) => never) => unknown> = {
    sum: (holes) => x.sum(holes(1)),
    permute: (holes) => x.permute(holes(2)),
    expand: (holes) => x.expand(holes(2)),
    reshape: (holes) => x.reshape(holes(2)),
    flip: (holes) => x.flip(holes(1)),
    movedim: (holes) => x.movedim(holes(1), holes(1)),
    squeeze: (holes) => x.squeeze(holes(1)),
    norm: (holes) => x.norm({ dim: holes(1) }),
    split: (holes) => x.split(holes(2)),
    at: (holes) => x.at(holes(2)),
    indexPut: (holes) => x.indexPut([holes(2)], 1),
    zeros: (holes) => zeros(holes(1)),
    tensor: (holes) => tensor(holes(2)),
    gradcheck: (holes) => nabla.gradcheck(() => ones([], { dtype: "float64" }), holes(1)),
    argnums: (holes) => nabla.grad((a: Tensor) => a.sum(), { argnums: holes(1) })(x),
    LambdaLR: (holes) => new optim.LambdaLR(descent(), { lrLambda: holes(1) }),
    MultiStepLR: (holes) => new optim.MultiStepLR(descent(), { milestones: holes(1) }),
    SequentialLR: (holes) => new optim.SequentialLR(descent(), { schedulers: holes(1), milestones: [] }),
    "SequentialLR, milestones"(holes) {
      const by = descent();
      return new optim.SequentialLR(by, { schedulers: [steps(by), steps(by)], milestones: holes(1) });
    },
    loadStateDict: (holes) => steps(descent()).loadStateDict({ lastEpoch: 1, baseLrs: holes(1) }),
    attach: (holes) => nabla.attach({ ...x.share(), strides: holes(2) }),
  };
  it.each(Object.keys(calls))("%s", (name) => {
    for (const holes of [(n: number) => new Array(n), (n: number) => new Array(n).fill(undefined)])
      expect(code(() => calls[name]!(holes as never))).toBe("ERR_ARGUMENT");
  });
});

it("a stride that no number comes of", () => {
  const deep = Array.from({ length: 100_000 }).reduce<unknown>((inner) => [inner], 1);
  for (const stride of [deep, ...nonsense.filter((value) => typeof value !== "number")])
    expect(code(() => nabla.attach({ ...ones([2]).share(), strides: [stride as never] }))).toBe("ERR_ARGUMENT");
});

it("what is no job, beside the arguments of a DataParallel", () => {
  const url = new URL("./scripts/job.mjs", import.meta.url);
  for (const value of nonsense) {
    const made = make(nabla.DataParallel, url, { workers: 0 }, value) as nabla.DataParallel;
    expect(made.model.parameters()).toHaveLength(2);
  }
});

it("more shards than a batch is ever cut into", async () => {
  const url = new URL("./scripts/job.mjs", import.meta.url);
  for (const shards of [4097, 1e9, 2 ** 32, Number.MAX_SAFE_INTEGER])
    expect(code(() => new nabla.DataParallel(url, { workers: 0, shards }))).toBe("ERR_ARGUMENT");
  const most = new nabla.DataParallel(url, { workers: 0, shards: 4096 });
  expect((await most.backward(ones([2, 3]))).ndim).toBe(0);
});

it("an option that is no boolean", () => {
  for (const value of nonsense.filter((value) => value !== undefined))
    for (const name of ["upper", "left", "unitriangular"])
      expect(code(() => ones([2, 2]).triangularSolve(ones([2, 1]), { [name]: value } as never))).toBe("ERR_ARGUMENT");
});

describe("an iterable", () => {
  const odd: unknown[] = [3, {}, { next: 3 }, { next: () => 3 }, null];
  it("that is none", () => {
    for (const iterator of odd) {
      const values = { [Symbol.iterator]: () => iterator };
      expect(code(() => new nn.ModuleList(values as never))).toBe("ERR_ARGUMENT");
      expect(code(() => new optim.SGD(values as never, { lr: 0.1 }))).toBe("ERR_ARGUMENT");
    }
  });
  it("of any kind", () => {
    const layers = () => [new nn.ReLU(), new nn.ReLU()];
    for (const values of [
      layers(),
      new Set(layers()),
      layers().values(),
      new Map(layers().map((x, i) => [i, x])).values(),
    ])
      expect(new nn.ModuleList(values)).toHaveLength(2);
  });
});

describe("an object with only a tensor's prototype", () => {
  const fakes = (): unknown[] => [
    Object.create(nabla.Tensor.prototype),
    Object.create(nn.Parameter.prototype),
    nabla.Tensor.prototype,
  ];
  it("is refused by every method and accessor", () => {
    for (const fake of fakes())
      for (const key of Reflect.ownKeys(nabla.Tensor.prototype)) {
        if (key === "constructor" || typeof key === "symbol") continue;
        const use = (): unknown => {
          const own: unknown = Reflect.get(fake as object, key);
          return typeof own === "function" ? Reflect.apply(own, fake, [1]) : own;
        };
        try {
          use();
        } catch (error) {
          expect(error).toBeInstanceOf(NablaError);
        }
      }
  });
  it("is refused as an argument", () => {
    for (const fake of fakes() as Tensor[]) {
      expect(code(() => ones([2]).add(fake))).toBe("ERR_ARGUMENT");
      expect(code(() => nabla.relu(fake))).toBe("ERR_ARGUMENT");
      expect(code(() => tensor(fake))).toBe("ERR_ARGUMENT");
      expect(code(() => nabla.cat([ones([2]), fake]))).toBe("ERR_ARGUMENT");
      expect(code(() => nabla.grad((x: Tensor) => x.sum())(fake))).toBe("ERR_ARGUMENT");
      expect(code(() => new optim.SGD([fake], { lr: 0.1 }))).toBe("ERR_ARGUMENT");
    }
  });
  it("new Tensor() says how tensors are made", () => {
    for (const value of [...nonsense, ones([2])]) {
      const error = thrown(() => make(nabla.Tensor, value, "float32", [2]));
      expect(error.code).toBe("ERR_ARGUMENT");
      expect(error.message).toContain("zeros(shape)");
    }
  });
  it("does not change what tensors are made of", () => {
    expect(Object.keys(ones([2]))).toEqual(["shape", "handle", "type", "layout", "offset", "node"]);
    expect(isTensor(ones([2]))).toBe(true);
  });
});

describe("what changes while it is read", () => {
  /** Says `first` until it has been read `times` times, and then `then`. */
  const turning = (first: number[], then: unknown, times: number): number[] => {
    let reads = 0;
    return new Proxy(first, {
      get: (target, key) =>
        typeof key === "string" && /^\d+$/.test(key) && reads++ >= times ? then : Reflect.get(target, key),
    });
  };
  it("a shape is what was checked", () => {
    for (const value of [-1, 2 ** 60, "x", undefined, Number.NaN])
      for (let times = 0; times < 8; times++) {
        let made: Tensor | undefined;
        try {
          made = zeros(turning([2, 3], value, times));
        } catch (error) {
          expect(error).toBeInstanceOf(NablaError);
        }
        if (made !== undefined)
          expect(made.toArray()).toEqual([
            [0, 0, 0],
            [0, 0, 0],
          ]);
      }
  });
  it("nested arrays", () => {
    let length = 2;
    const data = new Proxy([1, 2], {
      get: (target, key) => (key === "length" ? length++ : Reflect.get(target, key)),
    });
    expect(code(() => tensor(data))).toMatch(/^ERR_(SHAPE|ARGUMENT)$/);
  });
  it("buffers that are detached or shrink are what they are when they are read", () => {
    const gone = new Float32Array([1, 2, 3]);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    expect(tensor(gone).shape).toEqual([0]);
    expect(code(() => tensor(gone, { shape: [3] }))).toBe("ERR_SHAPE");
    const data = new Float32Array([1, 2, 3]);
    const options = {
      get dtype(): "float32" {
        structuredClone(data.buffer, { transfer: [data.buffer] });
        return "float32";
      },
    };
    expect(tensor(data, options).shape).toEqual([0]);
  });
  it("a message about a detached array", () => {
    const gone = new Float32Array(3);
    structuredClone(gone.buffer, { transfer: [gone.buffer] });
    expect(code(() => ones([2]).size(gone as never))).toBe("ERR_AXIS");
    expect(code(() => new optim.SGD(gone as never, { lr: 0.1 }))).toBe("ERR_ARGUMENT");
    const bytes = Uint8Array.of(0, 0, 8, 0, 9);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    expect(code(() => decodeIdx(bytes))).toBe("ERR_FORMAT");
    expect(code(() => nabla.decodeSafetensors(bytes))).toBe("ERR_FORMAT");
  });
});

describe("arrays that contain themselves, and deep ones", () => {
  const itself: unknown[] = [1];
  itself[0] = itself;
  const deep = Array.from({ length: 100_000 }).reduce<unknown>((inner) => [inner], 1);
  it("as data and shapes", () => {
    for (const value of [itself, deep] as never[]) {
      expect(code(() => tensor(value))).toBe("ERR_SHAPE");
      expect(code(() => zeros(value))).toBe("ERR_ARGUMENT");
      expect(code(() => scalar(1).sumToSize(value))).toMatch(/^ERR_/);
      expect(code(() => ones([2]).reshape(value))).toMatch(/^ERR_/);
    }
  });
});

describe("an enumerable key on Object.prototype", () => {
  afterEach(() => {
    Reflect.deleteProperty(Object.prototype, "foreign");
  });
  it("is no option, no parameter and no data", () => {
    Object.defineProperty(Object.prototype, "foreign", {
      value: 3,
      enumerable: true,
      configurable: true,
      writable: true,
    });
    expect(zeros([2], { dtype: "float64" }).dtype).toBe("float64");
    expect(code(() => zeros([2], { dtyp: "float64" } as never))).toBe("ERR_ARGUMENT");
    const model = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU());
    expect(model.parameters()).toHaveLength(2);
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.1 });
    nabla.grad((p: { w: Tensor }) => p.w.sum())({ w: ones([2]) });
    model
      .forward(ones([1, 2]))
      .sum()
      .backward();
    optimizer.step();
    optimizer.loadStateDict(optimizer.stateDict());
    model.loadStateDict(model.stateDict());
    expect(nabla.decodeSafetensors(nabla.encodeSafetensors(model.stateDict()))).toHaveProperty("0.weight");
    expect([...new DataLoader([{ a: 1 }, { a: 2 }], { batchSize: 2 })]).toHaveLength(1);
    expect(
      nabla
        .vmap((x: Tensor) => x.square().sum())(ones([2, 2]))
        .toArray(),
    ).toEqual([2, 2]);
    expect(ones([2]).toString()).toContain("1.");
  });
});
