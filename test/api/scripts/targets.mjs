// Every function, class, method and property that users can reach, as something to call with a list of arguments.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as nabla from "../../../dist/index.js";
import job from "./job.mjs";

const { isTensor, nn, optim, Tensor } = nabla;

/** What they are for is to change a mode. */
const modes = new Set(["setDefaultDtype", "setNumThreads"]);

const isClass = (value) => typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));

const types = fileURLToPath(new URL("../../../dist/types/", import.meta.url));
/** The members that the types show to users, by class; private ones, and those for the library itself, are not among them. */
const declared = new Map();
for (const file of readdirSync(types, { recursive: true }).filter((name) => name.endsWith(".d.ts"))) {
  let members = new Set();
  for (const line of readFileSync(join(types, file), "utf8").split("\n")) {
    const type = line.match(/^(?:export )?(?:declare )?(?:abstract )?class (\w+)/)?.[1];
    if (type !== undefined) {
      members = new Set();
      declared.set(type, members);
    }
    const name = line.match(/^ {4}(?:get |set |abstract |static )*(\w+)(?:<.*>)?\(/)?.[1];
    if (name !== undefined) members.add(name);
  }
}

/** What tensors have for the library alone. */
const hidden = ["touch"];

const exported = new Set([nabla, nn, optim].flatMap((space) => Object.values(space)).filter(isClass));

/** Names of a class's own methods and accessors, and of those from bases that users cannot name. All ops are methods of tensors. */
function membersOf(type) {
  const keys = new Set();
  for (let base = type; base.prototype !== undefined; base = Object.getPrototypeOf(base)) {
    if (base !== type && exported.has(base)) break;
    for (const key of Reflect.ownKeys(base.prototype))
      if (key !== "constructor" && isShown(type, base, key)) keys.add(key);
  }
  return [...keys];
}

function isShown(type, base, key) {
  if (typeof key === "symbol") return true;
  if (type === Tensor) return !hidden.includes(key);
  // A class without a name has no declaration of its own.
  return base.name === "" || declared.get(base.name)?.has(key) === true;
}
/** Users make subclasses of these, or get them from functions. */
const notMade = [optim.Optimizer, optim.LRScheduler, nabla.Graph, nabla.NablaError, nabla.Table, nabla.JsonLines];

function use(object, key, args) {
  const own = Reflect.get(object, key);
  if (typeof own === "function") return Reflect.apply(own, object, args);
  if (args.length > 0 && typeof key === "string" && isSettable(object, key)) object[key] = args[0];
  return own;
}

function isSettable(object, key) {
  for (let proto = object; proto !== null; proto = Object.getPrototypeOf(proto)) {
    const found = Object.getOwnPropertyDescriptor(proto, key);
    if (found !== undefined) return found.set !== undefined;
  }
  return false;
}

/** Arguments with which classes can be made, so that their methods are reached. */
const usual = {
  Linear: [3, 2],
  Conv1d: [2, 2, 3],
  Conv2d: [2, 2, 3],
  ConvTranspose2d: [2, 2, 3],
  Embedding: [5, 3],
  LSTM: [3, 2],
  GRU: [3, 2],
  BatchNorm1d: [3],
  BatchNorm2d: [2],
  GroupNorm: [2, 2],
  LayerNorm: [[3]],
  RMSNorm: [[3]],
  MultiheadAttention: [4, 2],
  TransformerEncoderLayer: [4, 2, { dimFeedforward: 8 }],
  MaxPool2d: [2],
  AvgPool2d: [2],
  AdaptiveAvgPool2d: [2],
  Softmax: [-1],
  LogSoftmax: [-1],
  ModuleList: [[new nn.ReLU(), new nn.ReLU()]],
  ModuleDict: [{ a: new nn.ReLU() }],
  Sequential: [new nn.ReLU(), new nn.ReLU()],
  DataLoader: [[1, 2, 3]],
  RandomGenerator: [1],
  CharacterTokenizer: ["abc"],
  Subset: [
    [1, 2, 3],
    [2, 0],
  ],
};
const schedules = {
  StepLR: { stepSize: 2 },
  MultiStepLR: { milestones: [1] },
  ExponentialLR: { gamma: 0.9 },
  CosineAnnealingLR: { tMax: 3 },
  CosineAnnealingWarmRestarts: { t0: 2 },
  LambdaLR: { lrLambda: () => 1 },
  LinearLR: {},
  OneCycleLR: { maxLr: 1, totalSteps: 4, cycleMomentum: false },
  ReduceLROnPlateau: {},
};
const kinds = Object.keys(schedules).filter((name) => name !== "ReduceLROnPlateau");

const descent = () => new optim.SGD([nabla.tensor([1, 2, 3], { requiresGrad: true })], { lr: 0.1 });

function schedule(name, optimizer = descent()) {
  if (name !== "SequentialLR") return new optim[name](optimizer, schedules[name]);
  const schedulers = [schedule("StepLR", optimizer), schedule("ExponentialLR", optimizer)];
  return new optim.SequentialLR(optimizer, { schedulers, milestones: [2] });
}

const linesFile = new URL("./seeds.jsonl", import.meta.url);

export const jobUrl = new URL("./job.mjs", import.meta.url);

/** An instance of a class. */
function instance(name, type, pool) {
  if (type === nn.Parameter || type === nn.Buffer) return new type(nabla.ones([2, 3]));
  if (type === nn.Module) return pool.module();
  if (type === optim.Optimizer) return pool.optimizer();
  if (type === optim.LRScheduler) return schedule(pool.pick(kinds));
  if (type === nabla.TensorDataset) return new type(nabla.ones([4, 2]));
  if (type === nabla.Table) return nabla.parseCsv("a,b\n1,x\n,y\n");
  if (type === nabla.TokenWindows) return new type(nabla.arange(5), { blockSize: 2 });
  if (type === nabla.StreamLoader) return nabla.fromIterable(() => [1, 2, 3]);
  if (type === nabla.Graph) return nabla.graph(nabla.ones([2], { requiresGrad: true }).mul(2));
  if (type === nabla.NablaError) return new type("ERR_SHAPE", "add", "add: a message", { cause: 1 });
  if (type === nabla.Trainer) return new type(job);
  if (type === nabla.DataParallel) return new type(jobUrl, { workers: 0, shards: 2 });
  if (type.prototype instanceof optim.Optimizer) {
    const parameter = nabla.tensor([1, 2, 3], { requiresGrad: true });
    parameter.mul(2).sum().backward();
    return new type([parameter], { lr: 0.1 });
  }
  if (name in schedules || name === "SequentialLR") return schedule(name);
  return new type(...(usual[name] ?? []));
}

/** Functions that give functions: the first argument goes to the one, the others to the other. */
const { grad, valueAndGrad, jacobian, jacrev, jacfwd, hessian, vmap, customFunction } = nabla;
const makers = { grad, valueAndGrad, jacobian, jacrev, jacfwd, hessian, vmap, customFunction };

export function targets() {
  const found = [];
  const visit = (prefix, space) => {
    for (const [name, value] of Object.entries(space)) {
      const full = prefix + name;
      if (typeof value === "object" && value !== null) visit(`${full}.`, value);
      if (typeof value !== "function") continue;
      if (!isClass(value)) {
        found.push({ name: full, run: (_, args) => value(...args), setsMode: modes.has(name) });
        continue;
      }
      if (!notMade.includes(value))
        found.push({ name: `new ${full}`, run: (_, args) => Reflect.construct(value, args) });
      for (const key of Object.getOwnPropertyNames(value))
        if (typeof value[key] === "function" && declared.get(value.name)?.has(key))
          found.push({ name: `${full}.${key}`, run: (_, args) => value[key](...args) });
      for (const key of membersOf(value)) {
        const run =
          value === Tensor
            ? (pool, [x, ...args]) => (isTensor(x) ? use(x, key, args) : use(pool.tensor(), key, [x, ...args]))
            : value === nabla.JsonLines
              ? async (_, args) => use(await nabla.readJsonLines(linesFile), key, args)
              : (pool, args) => use(instance(name, value, pool), key, args);
        found.push({ name: `${full}.${String(key)}`, run });
      }
    }
  };
  visit("", nabla);
  for (const [name, make] of Object.entries(makers))
    found.push({
      name: `${name}(f)`,
      run(_, [f, ...args]) {
        const made = make(f);
        return typeof made === "function" ? made(...args) : made;
      },
    });
  found.push({ name: "vjp(f)", run: (_, [f, x, ...args]) => nabla.vjp(f, x)[1](...args) });
  found.push({
    name: "new DataParallel().backward",
    run: (_, [options, batch]) => new nabla.DataParallel(jobUrl, { ...options, workers: 0 }).backward(batch),
  });
  const keys = membersOf(Tensor);
  found.push({
    name: "a method of what only has Tensor's prototype",
    run: (pool, args) => use(Object.create(Tensor.prototype), pool.pick(keys), args),
  });
  return found;
}

/** The names of the options that functions take, as their own errors list them. */
export function optionNamesOf(list, recipesOf) {
  const names = new Map();
  const pool = {
    tensor: () => nabla.ones([2, 2]),
    module: () => new nn.Linear(3, 2),
    optimizer: descent,
    pick: ([x]) => x,
  };
  const square = () => nabla.ones([2, 2]);
  const generic = [[], [square], [square, () => 1], [square, square], [() => [2]], [() => 1, () => 2, () => 3]];
  for (const { name, run } of list.filter(({ setsMode }) => !setsMode))
    for (const recipe of [...recipesOf(name), ...generic]) {
      const args = recipe.map((make) => make());
      const last = args.at(-1);
      const bare = typeof last === "object" && last !== null && Object.getPrototypeOf(last) === Object.prototype;
      for (const given of bare ? [args, args.slice(0, -1)] : [args])
        try {
          const result = run(pool, [...given, { ...(given === args ? {} : last), unheardOf: 1 }]);
          if (result instanceof Promise) result.catch(() => undefined);
        } catch (error) {
          const { known } = error.details ?? {};
          if (Array.isArray(known) && known.length > 0) names.set(name, known);
        }
    }
  return names;
}
