const rivals = ["numpy", "pytorch", "pytorch out=", "pytorch-debian", "tfjs-wasm", "jax-js"];
const sizes = { "1e3": 1e3, "1e5": 1e5, "1e7": 1e7 };
const passes = { add: 3, mul: 3, exp: 2, tanh: 2, sigmoid: 2, relu: 2, sum: 1 };

function trial(op, label, threads) {
  const spec = { kind: "elementwise", op, size: sizes[label] };
  const bytes = passes[op] * 4 * spec.size;
  const entry = (contender) => ({
    case: `${op} ${label}`,
    contender,
    threads,
    spec: contender === "stream copy" ? { ...spec, op: "copy" } : spec,
  });
  return {
    title: `${op} ${label}`,
    tolerance: op === "sum" ? 1e-4 : 1e-5,
    yardstick: "stream copy",
    metrics: [{ metric: "bandwidth", unit: "GB/s", of: (seconds, { work = bytes }) => work / seconds / 1e9 }],
    entries: ["nabla", ...rivals, "stream copy"].map(entry),
  };
}

/** float32 maps and the sum of all elements, in cache and out of it; bytes read and written, as the stream copy counts them. */
export const elementwise = {
  name: "elementwise",
  trials: [1, 2].flatMap((threads) =>
    Object.keys(sizes).flatMap((label) => Object.keys(passes).map((op) => trial(op, label, threads))),
  ),
  bounds: [],
};
