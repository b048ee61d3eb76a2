const side = 4096;
const stream = "stream copy";
const sums = { all: null, "first axis": 0, "last axis": 1 };
const orders = { sort: "sort 1e6", argsort: "argsort 1e6", topk: "topk 100 of 1e6" };
const rivals = ["numpy", "pytorch", "pytorch-debian"];

function sum(label, threads) {
  const spec = { kind: "reduce", op: "sum", size: side * side, dim: sums[label] };
  const name = `sum 16 M, ${label}`;
  return {
    title: name,
    tolerance: 1e-4,
    yardstick: stream,
    metrics: [{ metric: "bandwidth", unit: "GB/s", of: (seconds, { work = 4 * spec.size }) => work / seconds / 1e9 }],
    entries: ["nabla", ...rivals, stream].map((contender) => ({
      case: name,
      contender,
      threads,
      spec: contender === stream ? { kind: "copy", size: spec.size } : spec,
    })),
  };
}

function ordering(op, threads) {
  return {
    title: orders[op],
    tolerance: 1e-6,
    metrics: [{ metric: "time", unit: "ms", of: (seconds) => seconds * 1e3 }],
    entries: ["nabla", ...rivals].map((contender) => ({
      case: orders[op],
      contender,
      threads,
      spec: { kind: "reduce", op, size: 1e6 },
    })),
  };
}

const bound = (name, metric, text, theirs, atLeast, threads) => ({
  text: `${name} against ${text}, ${threads} thread${threads > 1 ? "s" : ""}`,
  atLeast,
  detail: threads === 1,
  ours: { case: name, metric, contender: /^nabla$/, threads },
  theirs: { case: name, metric, contender: theirs, threads },
});

/** Sums of float32 beside the stream, which counts what it writes as well as what it reads; sorting beside NumPy. */
export const reduce = {
  name: "reduce",
  trials: [1, 2].flatMap((threads) => [
    ...Object.keys(sums).map((label) => sum(label, threads)),
    ...Object.keys(orders).map((op) => ordering(op, threads)),
  ]),
  bounds: [1, 2].flatMap((threads) => [
    ...Object.keys(sums).flatMap((label) => [
      bound(`sum 16 M, ${label}`, "bandwidth", "the stream", /^stream copy$/, 0.85, threads),
      bound(`sum 16 M, ${label}`, "bandwidth", "PyTorch", /^pytorch/, 1, threads),
    ]),
    ...Object.values(orders).map((name) => bound(name, "time", "NumPy", /^numpy$/, 1, threads)),
  ]),
};
