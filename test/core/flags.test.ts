/** A boolean option that is none is refused everywhere: the types have checkOptions know each of them. */
import * as nb from "nabla";
import { nn, ones, tensor } from "nabla";
import { expect, test } from "vitest";

const F = nn.functional;
const x = ones([2, 2]);
const grown = (): nb.Tensor => tensor([1], { requiresGrad: true });
const odd = 1 as never;

const calls: Record<string, () => unknown> = {
  sum: () => x.sum(0, { keepdim: odd }),
  max: () => x.max(0, { keepdim: odd }),
  quantile: () => x.quantile(0.5, { keepdim: odd }),
  sort: () => x.sort({ descending: odd }),
  topk: () => x.topk(1, { largest: odd }),
  searchsorted: () => nb.searchsorted(tensor([1, 2]), x, { right: odd }),
  scaledDotProductAttention: () => F.scaledDotProductAttention(x, x, x, { isCausal: odd }),
  klDiv: () => F.klDiv(x, x, { logTarget: odd }),
  batchNorm: () => F.batchNorm(x, null, null, { training: odd }),
  dropout: () => x.dropout(0.5, { training: odd }),
  avgPool2d: () => F.avgPool2d(ones([1, 1, 2, 2]), 2, { countIncludePad: odd }),
  indexPut: () => x.indexPut([tensor([0], { dtype: "int32" })], 1, { accumulate: odd }),
  triangularSolve: () => nb.triangularSolve(x, x, { upper: odd }),
  cholesky: () => nb.cholesky(x, { upper: odd }),
  tensor: () => tensor([1], { requiresGrad: odd }),
  randn: () => nb.randn([2], { requiresGrad: odd }),
  allClose: () => nb.allClose(x, x, { equalNan: odd }),
  backward: () => grown().sum().backward({ retainGraph: odd }),
  grad: () => nb.grad((y) => y.sum(), { hasAux: odd })(x),
  gradcheck: () => nb.gradcheck((y) => y.sum(), [ones([1], { dtype: "float64" })], { raise: odd }),
  graph: () => nb.graph(x, { gradients: odd }),
  Linear: () => new nn.Linear(2, 2, { bias: [] as never }),
  Conv2d: () => new nn.Conv2d(1, 1, 1, { bias: odd }),
  LSTM: () => new nn.LSTM(1, 1, { bidirectional: odd }),
  GRU: () => new nn.GRU(1, 1, { bias: [x] as never }),
  LayerNorm: () => new nn.LayerNorm(2, { elementwiseAffine: odd }),
  BatchNorm1d: () => new nn.BatchNorm1d(2, { trackRunningStats: odd }),
  MultiheadAttention: () => new nn.MultiheadAttention(2, 1, { batchFirst: odd }),
  TransformerEncoderLayer: () => new nn.TransformerEncoderLayer(2, 1, { normFirst: odd }),
  Parameter: () => new nn.Parameter(x, { requiresGrad: odd }),
  Buffer: () => new nn.Buffer(x, { persistent: odd }),
  loadStateDict: () => new nn.Linear(1, 1).loadStateDict({}, { strict: odd }),
  clipGradNorm: () => nb.optim.clipGradNorm([grown()], 1, { errorIfNonfinite: odd }),
  OneCycleLR: () =>
    new nb.optim.OneCycleLR(new nb.optim.SGD([grown()], { momentum: 0.9 }), {
      maxLr: 1,
      totalSteps: 9,
      cycleMomentum: odd,
    }),
  DataLoader: () => new nb.DataLoader([1, 2], { shuffle: odd }),
};

test.each(Object.entries(calls))("%s refuses 1, or an array, for a boolean", (name, call) => {
  expect(call).toThrow(new RegExp(`^${name}: \\w+ is not valid; expected a boolean, got `));
  expect(call).toThrow(expect.objectContaining({ code: "ERR_ARGUMENT" }));
});
