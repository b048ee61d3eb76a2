// Every function, class, method and property that users can reach, as something to call with a list of arguments.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as nabla from "../../../dist/index.js";

const { nn, optim, Tensor } = nabla;

/** They start processes or threads, or read what was downloaded; their own tests try them. */
const left = new Set(["DataParallel", "loadMnist"]);
/** What they are for is to change a mode. */
const modes = new Set(["setDefaultDtype", "setNumThreads"]);

const isClass = (value) => typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));

const types = fileURLToPath(new URL("../../../dist/types/", import.meta.url));
/** Members that the types show to users; private ones, and those for the library itself, are not among them. */
const declared = new Set();
const hidden = new Set();
for (const file of readdirSync(types, { recursive: true }).filter((name) => name.endsWith(".d.ts")))
  for (const line of readFileSync(join(types, file), "utf8").split("\n")) {
    const name = line.match(/^\s+(?:get |set |readonly )?(\w+)(?:<.*>)?\(/)?.[1];
    if (name !== undefined) declared.add(name);
    const own = line.match(/^\s+(?:private|protected) (?:get |set |readonly |abstract )*(\w+)/)?.[1];
    if (own !== undefined) hidden.add(own);
  }

/** Names of a class's own methods and accessors. All ops are methods of tensors. */
const membersOf = (type) =>
  Reflect.ownKeys(type.prototype).filter(
    (key) =>
      key !== "constructor" &&
      ((type === Tensor && !hidden.has(key)) || typeof key === "symbol" || (declared.has(key) && !hidden.has(key))),
  );
/** Users make subclasses of these, or get them from functions. */
const notMade = [optim.Optimizer, optim.LRScheduler, nabla.Graph, nabla.NablaError];

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

/** Arguments with which most classes can be made, so that their methods are reached. */
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
  DataLoader: [[1, 2, 3]],
  RandomGenerator: [1],
};
const schedules = {
  StepLR: [{ stepSize: 2 }],
  MultiStepLR: [{ milestones: [1] }],
  ExponentialLR: [{ gamma: 0.9 }],
  CosineAnnealingLR: [{ tMax: 3 }],
  CosineAnnealingWarmRestarts: [{ t0: 2 }],
  LambdaLR: [() => 1],
  LinearLR: [{}],
  OneCycleLR: [{ maxLr: 1, totalSteps: 4, cycleMomentum: false }],
  ReduceLROnPlateau: [{}],
  SequentialLR: [],
};

/** An instance of a class; undefined where it could not be made. */
function instance(name, type, pool) {
  if (type === nn.Parameter || type === nn.Buffer) return new type(pool.tensor());
  if (type === Tensor) return pool.tensor();
  if (type === nn.Module) return pool.module();
  if (type === optim.Optimizer) return pool.optimizer();
  if (type === optim.LRScheduler) return new optim.StepLR(pool.optimizer(), { stepSize: 2 });
  if (type === nabla.TensorDataset) return new type(nabla.ones([4, 2]));
  if (type === nabla.Graph) return nabla.graph(nabla.ones([2], { requiresGrad: true }).mul(2));
  const parameter = nabla.tensor([1, 2, 3], { requiresGrad: true });
  if (type.prototype instanceof optim.Optimizer) {
    parameter.mul(2).sum().backward();
    return new type([parameter], { lr: 0.1 });
  }
  if (name in schedules) return new type(new optim.SGD([parameter], { lr: 0.1 }), ...schedules[name]);
  return new type(...(usual[name] ?? []));
}

export function targets() {
  const found = [];
  const visit = (prefix, space) => {
    for (const [name, value] of Object.entries(space)) {
      const full = prefix + name;
      if (left.has(name)) continue;
      if (typeof value === "object" && value !== null) visit(`${full}.`, value);
      if (typeof value !== "function") continue;
      if (!isClass(value)) {
        found.push({ name: full, run: (_, args) => value(...args), setsMode: modes.has(name) });
        continue;
      }
      if (!notMade.includes(value))
        found.push({ name: `new ${full}`, run: (_, args) => Reflect.construct(value, args) });
      for (const key of membersOf(value))
        found.push({
          name: `${full}.${String(key)}`,
          run(pool, args) {
            let object;
            try {
              object = instance(name, value, pool);
            } catch (error) {
              if (error instanceof nabla.NablaError) return undefined;
              throw error;
            }
            return use(object, key, args);
          },
        });
    }
  };
  visit("", nabla);
  const keys = membersOf(Tensor);
  found.push({
    name: "a method of what only has Tensor's prototype",
    run: (pool, args) => use(Object.create(Tensor.prototype), pool.pick(keys), args),
  });
  return found;
}

/** The names of the options that functions take, as their own errors list them. */
export const optionNames = new Map();
const pool = {
  tensor: () =>
    nabla.tensor([
      [1, 2],
      [3, 4],
    ]),
  module: () => new nn.Linear(2, 2),
  optimizer: () => new optim.SGD([nabla.tensor([1], { requiresGrad: true })], { lr: 0.1 }),
  pick: ([first]) => first,
};
for (const { name, run } of targets())
  for (const given of [
    [],
    [pool.tensor()],
    [pool.tensor(), 1],
    [pool.tensor(), pool.tensor()],
    [[2]],
    [1, 2],
    [1, 2, 3],
  ])
    try {
      run(pool, [...given, { unheardOf: 1 }])?.catch?.(() => undefined);
    } catch (error) {
      const { known } = error.details ?? {};
      if (Array.isArray(known) && known.length > 0) optionNames.set(name, known);
    }
