// For functions that take few of the arguments that chance gives them: some that they take. The fuzzer changes one at a time.
import * as nabla from "../../../dist/index.js";

const { nn, ones, tensor } = nabla;
const square = () => ones([3, 3]);
const column = () => ones([3, 1]);
const row = () => ones([3]);
const image = () => ones([2, 2, 4, 4]);
const kernel = () => ones([2, 2, 3, 3]);
const index = () => tensor([0, 1, 1], { dtype: "int32" });
const indices = () => tensor([[0, 1, 1]], { dtype: "int32" });
const mask = () => tensor([[true, false, true]]);
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
const sum = () => (x) => (nabla.isTensor(x) ? x.square().sum() : x);
const value = (given) => () => given;

/** Makers of arguments by the name of a function; the method takes all but the first. */
const functions = {
  adaptiveAvgPool2d: [image, value(2)],
  addmm: [square, square, square],
  at: [square, value(0)],
  avgPool2d: [image, value(2)],
  batchNorm: [square, () => ({ training: true })],
  binaryCrossEntropy: [shares, shares],
  bmm: [() => ones([2, 3, 3]), () => ones([2, 3, 3])],
  broadcastTo: [row, value([3, 3])],
  cat: [() => [square(), square()], value(0)],
  checkpoint: [sum, row],
  cholesky: [positive],
  choleskySolve: [column, lower],
  clamp: [row, () => ({ min: 0, max: 1 })],
  conv1d: [() => ones([2, 2, 4]), () => ones([2, 2, 3])],
  conv2d: [image, kernel, () => ({ padding: 1 })],
  convTranspose2d: [image, kernel],
  crossEntropy: [square, index],
  cumsum: [square, value(0)],
  customFunction: [() => ({ name: "f", forward: (x) => [x.detach(), 1], backward: (_, g) => [g] })],
  decodeIdx: [() => Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 9)],
  decodeSafetensors: [() => nabla.encodeSafetensors({ a: row() })],
  decodeSafetensorsMetadata: [() => nabla.encodeSafetensors({ a: row() })],
  dot: [row, row],
  einsum: [value("ij,jk->ik"), square, square],
  embedding: [square, index],
  expand: [column, value([3, 3])],
  flip: [square, value([0])],
  full: [value([2, 2]), value(1)],
  fullLike: [square, value(1)],
  functionalCall: [() => new nn.Linear(3, 2), () => ({ weight: ones([2, 3]) }), () => [square()]],
  gather: [square, value(0), indices],
  grad: [sum],
  gradcheck: [sum, () => tensor([1, 2], { dtype: "float64" })],
  groupNorm: [image, value(2)],
  hessian: [sum],
  hvp: [sum, () => [row()], () => [row()]],
  indexAdd: [square, value(0), index, square],
  indexPut: [square, () => [0], value(1)],
  indexSelect: [square, value(0), index],
  inference: [() => new nn.ReLU(), () => () => 1],
  jvp: [sum, () => [row()], () => [row()]],
  layerNorm: [square],
  linear: [square, square],
  linearRelu: [square, square],
  linspace: [value(0), value(1), value(3)],
  loadStateDict: [() => ({ weight: ones([2, 3]), bias: ones([2]) })],
  logSoftmax: [square, value(0)],
  lstsq: [square, column],
  maskedFill: [square, mask, value(1)],
  maskedSelect: [square, mask],
  matmul: [square, square],
  maxPool2d: [image, value(2)],
  meshgrid: [row, row],
  movedim: [square, value(0), value(1)],
  mseLoss: [square, square],
  multinomial: [shares, value(2)],
  narrow: [square, value(0), value(0), value(2)],
  nllLoss: [square, index],
  oneHot: [index, value(3)],
  outer: [row, row],
  pad: [square, value([1, 1])],
  permute: [square, value([1, 0])],
  quantile: [row, value(0.5)],
  repeat: [square, value([2, 1])],
  reshape: [square, value([9])],
  roll: [square, value(1), value(0)],
  scaledDotProductAttention: [() => ones([1, 3, 4]), () => ones([1, 3, 4]), () => ones([1, 3, 4])],
  scatter: [square, value(0), indices, () => ones([1, 3])],
  scatterAdd: [square, value(0), indices, () => ones([1, 3])],
  searchsorted: [row, row],
  solve: [positive, column],
  split: [square, value(1)],
  stack: [() => [square(), square()], value(0)],
  sumTo: [square, value([1, 3])],
  take: [square, index],
  tile: [square, value([2])],
  topk: [row, value(2)],
  transpose: [square, value(0), value(1)],
  triangularSolve: [lower, column],
  unsqueeze: [square, value(0)],
  view: [square, value([9])],
  vjp: [sum, row],
  vmap: [() => (x) => (nabla.isTensor(x) ? x.mul(2) : x)],
  where: [mask, square, square],
};

/** Of classes and their methods, by the name after `new` or the dot. */
const classes = {
  "new nn.BatchNorm2d": [value(2)],
  "new nn.Conv2d": [value(2), value(2), value(3)],
  "new nn.Embedding": [value(5), value(3)],
  "new nn.GroupNorm": [value(2), value(2)],
  "new nn.LSTM": [value(3), value(2)],
  "new nn.Linear": [value(3), value(2)],
  "new nn.ModuleDict": [() => ({ a: new nn.ReLU() })],
  "new nn.MultiheadAttention": [value(4), value(2)],
  "new nn.TransformerEncoderLayer": [value(4), value(2), () => ({ dimFeedforward: 8 })],
  "nn.LSTM.forward": [() => ones([4, 2, 3])],
  "nn.Linear.forward": [square],
  "nn.MultiheadAttention.forward": [() => ones([1, 3, 4]), () => ones([1, 3, 4]), () => ones([1, 3, 4])],
  "nn.TransformerEncoderLayer.forward": [() => ones([1, 3, 4])],
  "nn.CrossEntropyLoss.forward": [square, index],
  "nn.Conv2d.forward": [image],
};

/** Arguments that a target takes, if there are some here. */
export function seedOf(name) {
  if (name in classes) return classes[name];
  const last = name.slice(name.lastIndexOf(".") + 1);
  if (!Object.hasOwn(functions, last)) return undefined;
  return name.startsWith("Tensor.") ? functions[last].slice(1) : functions[last];
}
