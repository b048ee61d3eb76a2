const rivals = ["pytorch", "pytorch-debian"];
const kind = "rowwise";
const ops = [
  { title: "softmax [8192, 768]", spec: { kind, op: "softmax", rows: 8192, size: 768 } },
  { title: "layerNorm [8192, 768]", spec: { kind, op: "layerNorm", rows: 8192, size: 768 } },
  {
    title: "batchNorm [32, 64, 28, 28]",
    spec: { kind, op: "batchNorm", shape: [32, 64, 28, 28], training: true },
  },
  { title: "batchNorm [256, 512]", spec: { kind, op: "batchNorm", shape: [256, 512], training: true } },
  { title: "crossEntropy [768, 50257]", spec: { kind, op: "crossEntropy", rows: 768, size: 50257 } },
];
const cases = [
  ...ops.flatMap(({ title, spec }) =>
    [false, true].map((backward) => ({
      name: `${title}, ${backward ? "forward and backward" : "forward"}`,
      spec: { ...spec, backward },
    })),
  ),
  {
    name: "batchNorm [32, 64, 28, 28] by running values, forward",
    spec: { kind, op: "batchNorm", shape: [32, 64, 28, 28], training: false, backward: false },
  },
  {
    name: "embedding 50257x768 of 3072, forward and backward",
    spec: { kind, op: "embedding", rows: 50257, size: 768, count: 3072, backward: true },
  },
];

function trial({ name, spec }, threads) {
  return {
    title: name,
    tolerance: 1e-4,
    metrics: [{ metric: "time", unit: "ms", of: (seconds) => seconds * 1e3 }],
    entries: ["nabla", ...rivals].map((contender) => ({ case: name, contender, threads, spec })),
  };
}

/** Ops over the rows of a matrix, and the gradient of an embedding. */
export const norm = {
  name: "norm",
  trials: [1, 2].flatMap((threads) => cases.map((each) => trial(each, threads))),
  bounds: [1, 2].flatMap((threads) =>
    cases.map(({ name }) => ({
      text: `${name}, against PyTorch, ${threads} thread${threads > 1 ? "s" : ""}`,
      atLeast: 1.3,
      ours: { case: name, metric: "time", contender: /^nabla$/, threads },
      theirs: { case: name, metric: "time", contender: /^pytorch/, threads },
    })),
  ),
};
