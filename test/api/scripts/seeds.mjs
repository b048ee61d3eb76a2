// Arguments that functions take. The fuzzer changes one of them at a time, so that it gets past the first checks.
import { mkdirSync, writeFileSync } from "node:fs";
import * as nabla from "../../../dist/index.js";
import job from "./job.mjs";
import { jobUrl } from "./targets.mjs";

const { nn, ones, optim, saveCheckpoint, tensor } = nabla;
const value = (given) => () => given;
const square = () => ones([3, 3]);
const column = () => ones([3, 1]);
const row = () => ones([3]);
const image = () => ones([2, 2, 4, 4]);
const kernel = () => ones([2, 2, 3, 3]);
const sequence = () => ones([4, 2, 3]);
const tokens = () => ones([1, 3, 4]);
const index = () => tensor([0, 1, 1], { dtype: "int32" });
const indices = () => tensor([[0, 1, 1]], { dtype: "int32" });
const mask = () => tensor([[true, false, true]]);
const truth = () => tensor([true, false, true]);
const double = () => tensor([1, 2], { dtype: "float64" });
const lower = () =>
  tensor([
    [2, 0, 0],
    [1, 2, 0],
    [1, 1, 2],
  ]);
const positive = () =>
  tensor([
    [2, 0, 0],
    [0, 2, 0],
    [0, 0, 2],
  ]);
const shares = () => tensor([[0.2, 0.3, 0.5]]);
const logShares = () => shares().log();
const learned = () => tensor([1, 2, 3], { requiresGrad: true });
const loss = () => learned().square().sum();
const parameters = () => {
  const x = learned();
  x.square().sum().backward();
  return [x];
};
const sum = () => (x) => (nabla.isTensor(x) ? x.square().sum() : x);
const twice = () => (x) => (nabla.isTensor(x) ? x.mul(2) : x);
const linear = () => new nn.Linear(3, 2);
const descent = () => new optim.SGD(parameters(), { lr: 0.1 });
const schedulers = (optimizer) => [
  new optim.StepLR(optimizer, { stepSize: 2 }),
  new optim.ExponentialLR(optimizer, { gamma: 0.9 }),
];
/** What a later argument of the same call needs too. */
let leaf = learned();
let optimizer = descent();
const rate = () => ({ lr: 0.1 });
const gates = (count) => () => [{ weightIh: ones([2 * count, 3]), weightHh: ones([2 * count, 2]) }];
const shared = row();
const safetensors = () => nabla.encodeSafetensors({ a: row() });
const npy = () => nabla.encodeNpy(row());
const npz = () => nabla.encodeNpz({ a: row() });
const idx = () => Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 9);
const custom = () => ({ name: "f", forward: (x) => [twice()(x), 1], backward: (_, g) => [g] });

/** Files that some of them read; in the folder in which the fuzzer runs. */
export async function writeFiles() {
  await saveCheckpoint("seed.checkpoint", { n: 1, w: row() });
  writeFileSync("seed.safetensors", safetensors());
  writeFileSync("seed.idx", idx());
  writeFileSync("seed.npy", npy());
  writeFileSync("seed.csv", "a,b\n1,x\n,y\n");
  writeFileSync("seed.jsonl", "1\n2\n");
  writeFileSync("seed.txt", "abc");
  mkdirSync("cifar");
  for (const name of ["train.bin", "test.bin"]) writeFileSync(`cifar/${name}`, new Uint8Array(3074));
  writeFileSync("seed.npz", npz());
  mkdirSync("mnist");
  for (const part of ["train", "t10k"]) {
    writeFileSync(`mnist/${part}-images-idx3-ubyte`, Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 7));
    writeFileSync(`mnist/${part}-labels-idx1-ubyte`, Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 7));
  }
}

/** Makers of arguments by the name of a function, or several lists of them; of methods the tensor comes first. */
const functions = {
  adaptiveAvgPool2d: [image, value(2)],
  addmm: [square, square, square],
  arange: [value(0), value(3), value(1)],
  assertEqual: [square, square],
  assign: [square, value(1)],
  at: [square, value(0)],
  attach: [() => shared.share()],
  avgPool2d: [image, value(2)],
  backward: [loss],
  batchNorm: [square, value(null), value(null), () => ({ training: true })],
  bernoulli: [shares],
  binaryCrossEntropy: [shares, shares],
  binaryCrossEntropyWithLogits: [square, square],
  bincount: [index],
  bmm: [() => ones([2, 3, 3]), () => ones([2, 3, 3])],
  broadcastTo: [row, value([3, 3])],
  cat: [() => [square(), square()], value(0)],
  checkpoint: [sum, row],
  cholesky: [positive],
  choleskySolve: [column, lower],
  chunk: [square, value(2)],
  clamp: [row, () => ({ min: 0, max: 1 })],
  conv1d: [() => ones([2, 2, 4]), () => ones([2, 2, 3])],
  conv2d: [image, kernel, value(null), () => ({ padding: 1 })],
  convTranspose2d: [image, kernel],
  cosineSimilarity: [square, square],
  crossEntropy: [square, index],
  cumsum: [square, value(0)],
  cumprod: [square, value(0)],
  customFunction: [custom],
  "customFunction(f)": [custom, row],
  decodeIdx: [idx],
  decodeCifar: [() => new Uint8Array(3074), () => ({ classes: 100 })],
  decodeNpy: [npy],
  decodeNpz: [npz],
  decodeSafetensors: [safetensors],
  decodeSafetensorsMetadata: [safetensors],
  defineJob: [() => ({ ...job })],
  detectAnomaly: [() => () => 1],
  dims: [square, value(2)],
  dot: [row, row],
  einsum: [value("ij,jk->ik"), square, square],
  embedding: [index, square],
  encodeNpy: [row],
  encodeNpz: [() => ({ a: row() }), () => ({ compress: true })],
  encodeSafetensors: [() => ({ a: row() })],
  expand: [column, value([3, 3])],
  eye: [value(3), value(2)],
  fit: [linear, () => [row(), row()], () => ({ loss: (model, x) => model.forward(x).mean(), epochs: 1 })],
  flip: [square, value([0])],
  formula: [() => learned().mul(2).sum()],
  full: [value([2, 2]), value(1)],
  fullLike: [square, value(1)],
  functionalCall: [linear, () => ({ weight: ones([2, 3]) }), square],
  gather: [square, value(0), indices],
  grad: [
    [sum],
    [
      () => {
        leaf = learned();
        return leaf.square().sum();
      },
      () => [leaf],
    ],
  ],
  "grad(f)": [sum, row],
  gradcheck: [sum, double],
  graph: [() => learned().mul(2).sum()],
  groupNorm: [image, value(2)],
  gru: [sequence, gates(3)],
  hessian: [sum],
  "hessian(f)": [sum, row],
  huberLoss: [square, square],
  hvp: [sum, () => [row()], () => [row()]],
  indexAdd: [square, value(0), index, square],
  indexPut: [square, () => [0], value(1)],
  indexSelect: [square, value(0), index],
  inference: [() => new nn.ReLU(), () => () => 1],
  inv: [positive],
  jacfwd: [sum],
  "jacfwd(f)": [sum, row],
  jacobian: [sum],
  "jacobian(f)": [sum, row],
  jacrev: [sum],
  "jacrev(f)": [sum, row],
  jvp: [sum, () => [row()], () => [row()]],
  klDiv: [logShares, shares],
  l1Loss: [square, square],
  layerNorm: [square, value([3])],
  lerp: [row, row, value(0.5)],
  linear: [square, square],
  linspace: [value(0), value(1), value(3)],
  loadIdx: [value("seed.idx")],
  loadMnist: [value("mnist")],
  loadCheckpoint: [value("seed.checkpoint")],
  loadCifar: [value("cifar")],
  loadNpy: [value("seed.npy"), () => ({ map: true })],
  loadNpz: [value("seed.npz")],
  loadSafetensors: [value("seed.safetensors"), () => ({ map: true })],
  logSoftmax: [square, value(0)],
  lstm: [sequence, gates(4)],
  lstsq: [square, column],
  maskedFill: [square, mask, value(1)],
  maskedSelect: [square, mask],
  matmul: [square, square],
  maxPool2d: [image, value(2)],
  meshgrid: [() => [row(), row()]],
  movedim: [square, value(0), value(1)],
  mseLoss: [square, square],
  multinomial: [shares, value(2)],
  narrow: [square, value(0), value(0), value(2)],
  nllLoss: [square, index],
  noGrad: [() => () => 1],
  normal: [value(0), value(1), value([3])],
  normalize: [square],
  oneHot: [index, () => ({ numClasses: 3 })],
  ones: [value([3])],
  outer: [row, row],
  pad: [square, value([1, 1])],
  permute: [square, value([1, 0])],
  quantile: [row, value(0.5)],
  rand: [value([3])],
  randint: [value(0), value(5), value([3])],
  randLike: [square],
  randn: [value([3])],
  registerHook: [learned, () => (g) => g.mul(2)],
  repeat: [square, value([2, 1])],
  repeatInterleave: [square, value(2), value(0)],
  reshape: [square, value([9])],
  retainGrad: [() => learned().mul(2)],
  rmsNorm: [square, value([3])],
  roll: [square, value(1), value(0)],
  saveCheckpoint: [value("saved.checkpoint"), () => ({ a: row(), n: 1 })],
  parseCsv: [value("a,b\n1,x\n,y\n"), () => ({ delimiter: ",", types: { b: "text" } })],
  readCsv: [value("seed.csv"), () => ({ names: ["u", "v"], missing: ["", "x"] })],
  readJsonLines: [value("seed.jsonl"), () => ({ longestLine: 100 })],
  readText: [value("seed.txt")],
  saveNpy: [value("saved.npy"), row],
  saveNpz: [value("saved.npz"), () => ({ a: row() })],
  saveSafetensors: [value("saved.safetensors"), () => ({ a: row() })],
  scaledDotProductAttention: [tokens, tokens, tokens],
  scatter: [square, value(0), indices, () => ones([1, 3])],
  scatterAdd: [square, value(0), indices, () => ones([1, 3])],
  scope: [() => () => row()],
  searchsorted: [row, row],
  setDefaultDtype: [value("float64")],
  setNumThreads: [value(1)],
  softmax: [square, value(0)],
  solve: [positive, column],
  split: [square, value(1)],
  stack: [() => [square(), square()], value(0)],
  sumToSize: [square, value([1, 3])],
  summary: [linear],
  take: [square, index],
  tensorEquality: [square, square],
  tile: [square, value([2])],
  to: [square, value("float64")],
  topk: [row, value(2)],
  transpose: [square, value(0), value(1)],
  triangularSolve: [lower, column],
  unsqueeze: [square, value(0)],
  valueAndGrad: [sum],
  "valueAndGrad(f)": [sum, row],
  view: [square, value([9])],
  vjp: [sum, row],
  "vjp(f)": [sum, row, () => ones([])],
  vmap: [twice],
  "vmap(f)": [twice, square],
  where: [truth, row, row],
  zeros: [value([3])],
};

/** Of classes, their methods and the initializers, by their whole names. */
const classes = {
  "DataLoader.close": [],
  "DataLoader.loadStateDict": [() => new nabla.DataLoader([1, 2, 3]).stateDict()],
  "DataParallel.backward": [square],
  "DataParallel.load": [value(jobUrl), () => ({ workers: 0 })],
  "DataParallel.loadStateDict": [() => ({ seed: 1, step: 2, shards: 2 })],
  randomSplit: [() => [row(), row(), row()], value([2, 1])],
  "new ByteTokenizer": [],
  "new CharacterTokenizer": [value("abc")],
  "ByteTokenizer.encode": [value("abc")],
  "ByteTokenizer.decode": [value([97, 98])],
  "CharacterTokenizer.encode": [value("abc")],
  "CharacterTokenizer.decode": [value([0, 1])],
  fromIterable: [() => () => [row(), row()], () => ({ batchSize: 2, prefetch: 1 })],
  "new StreamLoader": [() => () => [row(), row()], () => ({ batchSize: 2 })],
  "StreamLoader.loadStateDict": [() => nabla.fromIterable(() => [1]).stateDict()],
  "new TokenWindows": [index, () => ({ blockSize: 2 })],
  "TokenWindows.at": [value(0)],
  "TokenWindows.rows": [() => Int32Array.of(0, 1)],
  "Table.from": [
    () => [
      { a: 1, b: "x" },
      { a: null, b: "y" },
    ],
  ],
  "Table.at": [value(0)],
  "Table.column": [value("a")],
  "Table.encode": [() => ({ target: "b", missing: "median" })],
  "JsonLines.at": [value(0)],
  "JsonLines.offset": [value(0)],
  "new Subset": [() => [row(), row(), row()], value([2, 0])],
  "new DataLoader": [() => [row(), row(), row()], () => ({ batchSize: 2 })],
  "new DataParallel": [value(jobUrl), () => ({ workers: 0 })],
  "new DataParallel().backward": [() => ({ shards: 2 }), square],
  "new TensorDataset": [square],
  "new Trainer": [[() => ({ ...job })], [value(jobUrl)]],
  "Tensor.grad": [() => parameters()[0], row],
  "Tensor.Symbol(Symbol.toPrimitive)": [square, value("string")],
  "Subset.at": [value(0)],
  "TensorDataset.at": [value(0)],
  "TensorDataset.rows": [() => Int32Array.of(0, 1)],
  "RandomGenerator.loadStateDict": [() => new nabla.RandomGenerator(1).stateDict()],
  "new nn.AdaptiveAvgPool2d": [value(2)],
  "nn.AdaptiveAvgPool2d.forward": [image],
  "new nn.AvgPool2d": [value(2)],
  "nn.AvgPool2d.forward": [image],
  "nn.BCELoss.forward": [shares, shares],
  "nn.BCEWithLogitsLoss.forward": [square, square],
  "new nn.BatchNorm1d": [value(3)],
  "new nn.BatchNorm2d": [value(2)],
  "new nn.Conv1d": [value(2), value(2), value(3)],
  "nn.Conv1d.forward": [() => ones([2, 2, 4])],
  "new nn.Conv2d": [value(2), value(2), value(3)],
  "nn.Conv2d.forward": [image],
  "new nn.ConvTranspose2d": [value(2), value(2), value(3)],
  "nn.ConvTranspose2d.forward": [image],
  "nn.BatchNorm2d.forward": [image],
  "nn.CrossEntropyLoss.forward": [square, index],
  "new nn.Embedding": [value(5), value(3)],
  "nn.Embedding.forward": [index],
  "new nn.GRU": [value(3), value(2)],
  "nn.GRU.forward": [sequence],
  "new nn.GroupNorm": [value(2), value(2)],
  "nn.GroupNorm.forward": [image],
  "nn.HuberLoss.forward": [square, square],
  "nn.KLDivLoss.forward": [logShares, shares],
  "nn.L1Loss.forward": [square, square],
  "new nn.LSTM": [value(3), value(2)],
  "nn.LSTM.forward": [sequence],
  "new nn.LayerNorm": [value([3])],
  "nn.LayerNorm.forward": [square],
  "new nn.Linear": [value(3), value(2)],
  "nn.Linear.forward": [square],
  "new nn.LogSoftmax": [value(-1)],
  "nn.MSELoss.forward": [square, square],
  "new nn.MaxPool2d": [value(2)],
  "nn.MaxPool2d.forward": [image],
  "nn.Module.apply": [() => () => undefined],
  "nn.Module.copyFrom": [linear],
  "nn.Module.forward": [square],
  "nn.Module.loadStateDict": [() => ({ weight: ones([2, 3]), bias: ones([2]) })],
  "nn.Module.registerForwardHook": [() => (_module, _inputs, output) => output],
  "nn.Module.registerForwardPreHook": [() => (_module, inputs) => inputs],
  "nn.Module.to": [value("float64")],
  "new nn.ModuleDict": [() => ({ a: new nn.ReLU() })],
  "new nn.ModuleList": [() => [linear(), linear()]],
  "nn.ModuleDict.get": [value("a")],
  "nn.ModuleList.push": [linear],
  "new nn.MultiheadAttention": [value(4), value(2)],
  "nn.MultiheadAttention.forward": [tokens, tokens, tokens],
  "nn.NLLLoss.forward": [square, index],
  "new nn.RMSNorm": [value([3])],
  "nn.RMSNorm.forward": [square],
  "new nn.Sequential": [linear, () => new nn.ReLU()],
  "new nn.Softmax": [value(-1)],
  "new nn.TransformerEncoderLayer": [value(4), value(2), () => ({ dimFeedforward: 8 })],
  "nn.TransformerEncoderLayer.forward": [tokens],
  "nn.init.calculateGain": [value("relu")],
  "nn.init.constant": [square, value(2)],
  "nn.init.kaimingNormal": [square],
  "nn.init.kaimingUniform": [square],
  "nn.init.normal": [square],
  "nn.init.ones": [square],
  "nn.init.orthogonal": [square],
  "nn.init.truncNormal": [square],
  "nn.init.uniform": [square],
  "nn.init.xavierNormal": [square],
  "nn.init.xavierUniform": [square],
  "nn.init.zeros": [square],
  "new optim.Adagrad": [parameters, rate],
  "new optim.Adam": [parameters, rate],
  "new optim.AdamW": [parameters, rate],
  "new optim.CosineAnnealingLR": [descent, () => ({ tMax: 3 })],
  "new optim.CosineAnnealingWarmRestarts": [descent, () => ({ t0: 2 })],
  "new optim.ExponentialLR": [descent, () => ({ gamma: 0.9 })],
  "new optim.LBFGS": [parameters, rate],
  "optim.LBFGS.loadStateDict": [() => new optim.LBFGS(parameters(), { lr: 0.1 }).stateDict()],
  "optim.LBFGS.step": [() => loss],
  "optim.LRScheduler.loadStateDict": [() => new optim.StepLR(descent(), { stepSize: 2 }).stateDict()],
  "new optim.LambdaLR": [descent, () => ({ lrLambda: () => 1 })],
  "new optim.LinearLR": [descent],
  "new optim.Lion": [parameters, rate],
  "new optim.MultiStepLR": [descent, () => ({ milestones: [1] })],
  "new optim.OneCycleLR": [descent, () => ({ maxLr: 1, totalSteps: 4, cycleMomentum: false })],
  "optim.Optimizer.addParamGroup": [() => ({ params: parameters() })],
  "optim.Optimizer.loadStateDict": [() => descent().stateDict()],
  "optim.Optimizer.step": [() => () => 1],
  "new optim.RMSprop": [parameters, rate],
  "new optim.ReduceLROnPlateau": [descent],
  "optim.ReduceLROnPlateau.loadStateDict": [() => new optim.ReduceLROnPlateau(descent()).stateDict()],
  "optim.ReduceLROnPlateau.step": [value(1)],
  "new optim.SGD": [parameters, rate],
  "new optim.SequentialLR": [
    () => {
      optimizer = descent();
      return optimizer;
    },
    () => ({ schedulers: schedulers(optimizer), milestones: [2] }),
  ],
  "optim.SequentialLR.loadStateDict": [
    () => {
      const own = descent();
      return new optim.SequentialLR(own, { schedulers: schedulers(own), milestones: [2] }).stateDict();
    },
  ],
  "new optim.StepLR": [descent, () => ({ stepSize: 2 })],
  "optim.clipGradNorm": [parameters, value(1)],
  "optim.clipGradValue": [parameters, value(1)],
};

/** What can only refuse, and why. */
export const refusing = new Map([
  ["new Tensor", "tensors are made by functions"],
  ["optim.LBFGS.addParamGroup", "it has one group"],
]);

/** Targets that nearly always refuse: no call of theirs needs to return. */
export const unlikely = new Set(["a method of what only has Tensor's prototype"]);

/** Names here that no target has. */
export function strayNames(list) {
  const names = new Set(list.flatMap(({ name }) => [name, plain(name)]));
  return [...Object.keys(functions), ...Object.keys(classes), ...refusing.keys(), ...unlikely].filter(
    (name) => !names.has(name),
  );
}

/** The lists of arguments for a target that are here. */
export function recipesOf(name) {
  const found = classes[name] ?? own(name);
  if (found === undefined) return [];
  return Array.isArray(found[0]) ? found : [found];
}

const plain = (name) => name.replace(/^(?:Tensor|nn\.functional)\./, "");
const own = (name) => (Object.hasOwn(functions, plain(name)) ? functions[plain(name)] : undefined);
