// What the fuzzer gives to functions: things that are meant for them, things that are not, and things that change while
// they are read.
import * as nabla from "../../../dist/index.js";

/** What callbacks and getters of the pool throw: it passes through, as every error of the user's own code. */
export class Mine extends Error {}

const { nn, optim } = nabla;

function detached(Type) {
  const array = new Type(6);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

/** A typed array whose buffer is cut short after it was made. */
function shrunk(Type) {
  const buffer = new ArrayBuffer(64, { maxByteLength: 64 });
  const array = new Type(buffer, 0, 32 / Type.BYTES_PER_ELEMENT);
  buffer.resize(8);
  return array;
}

/** An array that says something else each time it is read. */
function restless(list, others) {
  let reads = 0;
  return new Proxy(list, {
    get(target, key) {
      if (key === "length") return reads++ % 3 === 2 ? target.length + 1 : target.length;
      if (typeof key === "string" && /^\d+$/.test(key) && reads++ % 4 === 3) return others[reads % others.length];
      return Reflect.get(target, key);
    },
  });
}

export function makePool(r, folder) {
  const { pick, chance, below } = r;
  const numbers = [0, 1, 2, 3, -1, -2, 0.5, 1e-3, 0.9, 5, 7, 10, 16, 255, 256, 65_536, 1e9, 2 ** 31, 2 ** 32, 2 ** 53];
  numbers.push(-(2 ** 31), 1e20, 1e300, 5e-324, Number.NaN, Infinity, -Infinity, -0, 1e-300, 300, -5);
  const dtypes = ["float32", "float64", "bfloat16", "float16", "int32", "int64", "uint8", "bool"];
  const number = () => (chance(0.7) ? pick(numbers.slice(0, 12)) : pick(numbers));
  const size = () => (chance(0.1) ? 0 : 1 + below(4));
  const shape = () => Array.from({ length: below(5) }, size);

  function tensor() {
    const dtype = chance(0.6) ? "float32" : pick(dtypes);
    const requiresGrad = chance(0.3) && /float/.test(dtype);
    const dims = chance(0.5) ? pick([[3], [2, 3], [3, 3], [3, 3], [3, 3], [2, 2, 4, 4], [4, 2], []]) : shape();
    const count = dims.reduce((a, b) => a * b, 1);
    const data = Array.from({ length: count }, () =>
      dtype === "bool" ? below(2) : /float/.test(dtype) ? r.next() : below(4),
    );
    const x = nabla.tensor(data, { dtype, shape: dims }).to(dtype);
    if (requiresGrad) return chance(0.5) ? nabla.tensor(x, { requiresGrad }) : nabla.tensor(x, { requiresGrad }).mul(2);
    if (chance(0.1)) x.dispose();
    else if (chance(0.2) && dims.length > 1) return x.transpose(0, 1);
    return x;
  }

  const typed = () => pick([Float32Array, Float64Array, Int32Array, BigInt64Array, Uint8Array, Int8Array, Uint16Array]);
  const cyclic = [1];
  cyclic.push(cyclic);
  const ring = { a: 1 };
  ring.ring = ring;
  let deep = 1;
  for (let i = 0; i < 20_000; i++) deep = [deep];
  let deepObject = {};
  for (let i = 0; i < 20_000; i++) deepObject = { deepObject };

  const callback = () =>
    pick([
      (x) => x,
      (x) => (nabla.isTensor(x) ? x.mul(2) : 1),
      (x) => (nabla.isTensor(x) ? x.sum() : x),
      (...args) => args,
      (x) => [x, x],
      () => undefined,
      () => pick(numbers),
      () => any(1),
      async () => 1,
      async () => {
        throw new Mine("async");
      },
      () => {
        throw new Mine("callback");
      },
      (x) => {
        if (nabla.isTensor(x)) x.dispose();
        return x;
      },
      (x) => nabla.grad(() => x)(x),
      function* () {
        yield 1;
      },
      () => new Promise(() => {}),
      // biome-ignore lint/suspicious/noThenProperty: an impostor.
      () => ({ then: 3 }),
      // biome-ignore lint/suspicious/noThenProperty: an impostor.
      () => ({ then() {} }),
    ]);

  const getters = () => ({
    get dtype() {
      return pick(dtypes);
    },
    get length() {
      return pick(numbers);
    },
    get shape() {
      return any(1);
    },
    at: callback(),
  });

  const hostile = [
    () => undefined,
    () => null,
    () =>
      pick(["", "text", "float32", "mean", "...", "ij,jk->ik", "__proto__", "constructor", "\ud800", "x".repeat(99)]),
    () => Symbol("s"),
    () => Symbol.iterator,
    () => pick([0n, 5n, -(2n ** 80n)]),
    () => pick([true, false]),
    () => cyclic,
    () => ring,
    () => deep,
    () => deepObject,
    () => new Map([[any(1), any(1)]]),
    () => new Set([any(1)]),
    () => new Date(Number.NaN),
    () => /x/g,
    () => Object.create(null),
    () => Object.create(nabla.Tensor.prototype),
    () => Object.create(nn.Parameter.prototype),
    () => Object.create(nabla.Tensor.prototype, { shape: { value: [2] } }),
    () => nabla.Tensor.prototype,
    () => detached(typed()),
    () => shrunk(typed()),
    () => new (typed())(below(5)),
    () => Buffer.from([0, 0, 8, 1, 0, 0, 0, 2, 7, 9].slice(0, below(11))),
    () => new ArrayBuffer(8),
    () => new SharedArrayBuffer(8),
    () => new DataView(new ArrayBuffer(8)),
    () => restless([2, 3], [any(1), -1, 2 ** 40, "x"]),
    () => restless([tensor(), tensor()], [any(1), tensor(), null]),
    () => new Array(3),
    () => Object.freeze([1, 2]),
    () => getters(),
    () => new Proxy({}, { get: (_, key) => (key === Symbol.toPrimitive ? undefined : any(1)) }),
    () => new Proxy(() => tensor(), {}),
    () => ({ toString: () => pick(numbers), valueOf: () => "x" }),
    () => ({
      get a() {
        throw new Mine("getter");
      },
    }),
    () => ({ [Symbol.toPrimitive]: callback() }),
    () => Promise.resolve(1),
    () => new Error("x"),
    () => globalThis,
    () => new nabla.NablaError("ERR_SHAPE", "x", "x"),
    () => new WeakRef({}),
    () => new (class extends Array {})(2, 3),
    () => new (class Linear {})(),
    () => callback(),
    () => "a".repeat(300),
  ];
  if (typeof Float16Array !== "undefined")
    hostile.push(
      () => detached(Float16Array),
      () => new Float16Array(3),
    );

  const module = () =>
    pick([
      () => new nn.Linear(3, 2),
      () => new nn.Sequential(new nn.Linear(3, 3), new nn.ReLU()),
      () => new nn.Conv2d(2, 2, 3),
      () => new nn.LSTM(3, 2),
      () => new nn.BatchNorm1d(3),
      () => new nn.Embedding(5, 3),
      () => new nn.MultiheadAttention(4, 2),
      () => new nn.ModuleList([new nn.Linear(3, 3)]),
      () => new nn.Dropout(0.5),
      () => new nn.Module(),
    ])();

  const optimizer = () => {
    const parameter = nabla.tensor([1, 2, 3], { requiresGrad: true });
    if (chance(0.5)) parameter.sum().backward();
    return new (pick([optim.SGD, optim.Adam, optim.RMSprop, optim.Lion, optim.Adagrad, optim.LBFGS]))([parameter], {
      lr: 0.1,
    });
  };

  const meant = [
    () => tensor(),
    () => tensor(),
    () => tensor(),
    () => tensor(),
    () => number(),
    () => number(),
    () => number(),
    () => shape(),
    () => Array.from({ length: below(4) }, number),
    () => Array.from({ length: below(4) }, tensor),
    () => [tensor(), tensor()],
    () => ({ [pick(["a", "b", "weight", "0"])]: tensor() }),
    () => pick(dtypes),
    () => callback(),
    () => module(),
    () => optimizer(),
    () => [
      [1, 2],
      [3, 4],
    ],
    () => nabla.slice(below(4) - 2, below(5)),
    () =>
      nabla.tensor([
        [1, 0],
        [0, 1],
      ]),
    () => nabla.tensor([0, 1, 1], { dtype: "int32" }),
    () => new nabla.RandomGenerator(1),
    () => new nabla.TensorDataset(nabla.ones([4, 2])),
    () => `${folder}/${pick(["a.safetensors", "b", "missing", "dir"])}`,
  ];

  let level = 0;
  /** What makes values of one kind; with `hostility` 1 never one that is meant. */
  const draw = (hostility) => (chance(hostility) ? pick(hostile) : pick(meant));
  function any(hostility = 0.4) {
    if (level > 3) return pick(numbers);
    level++;
    try {
      return draw(hostility)();
    } finally {
      level--;
    }
  }

  /** A copy of plain data in which one thing, at any depth, is another. */
  function corrupt(value) {
    const plain = typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
    if (!(plain || Array.isArray(value))) return any(0.7);
    const keys = Object.keys(value);
    if (keys.length === 0 || chance(0.1)) return any(0.7);
    const own = Object.getOwnPropertyDescriptors(value);
    const key = pick(keys);
    const changed = "value" in own[key] ? corrupt(own[key].value) : any(0.7);
    const copy = Object.defineProperties(Array.isArray(value) ? [] : {}, own);
    if (chance(0.1)) Reflect.deleteProperty(copy, key);
    else Reflect.defineProperty(copy, key, { value: changed, enumerable: true, configurable: true, writable: true });
    return copy;
  }
  return { any, corrupt, draw, pick, tensor, module, optimizer };
}
