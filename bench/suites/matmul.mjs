const rivals = ["openblas", "blis", "onednn", "numpy", "pytorch", "pytorch-debian", "tfjs-wasm", "jax-js"];

const cubes = [64, 128, 256, 512, 1024].map((size) => [size, size, size, "NN"]);
const shapes = [
  ...cubes,
  [1024, 1024, 1024, "NT"],
  [1024, 1024, 1024, "TN"],
  // The products of the perceptron 784-512-256-10 at batch 128: forward, then gradients of weights and inputs.
  [128, 784, 512, "NT"],
  [128, 512, 256, "NT"],
  [128, 256, 10, "NT"],
  [512, 128, 784, "TN"],
  [256, 128, 512, "TN"],
  [128, 256, 512, "NN"],
];

function trial([m, k, n, layout], threads) {
  const spec = { kind: "matmul", m, k, n, transA: layout[0] === "T", transB: layout[1] === "T" };
  const flops = 2 * m * k * n;
  return {
    title: `${m}x${k}x${n} ${layout}`,
    tolerance: 2e-4,
    yardstick: "fma loop",
    metrics: [{ metric: "speed", unit: "GFLOP/s", of: (seconds, { work = flops }) => work / seconds / 1e9 }],
    entries: ["nabla", ...rivals, "fma loop"].map((contender) => ({
      case: `${m}x${k}x${n} ${layout}`,
      contender,
      threads,
      spec,
    })),
  };
}

/** float32 matrix products, `m x k x n`, with either operand stored transposed. */
export const matmul = {
  name: "matmul",
  trials: [1, 2].flatMap((threads) => shapes.map((shape) => trial(shape, threads))),
  bounds: [1, 2].map((threads) => ({
    text: `matmul 1024x1024x1024 against OpenBLAS, ${threads} thread${threads > 1 ? "s" : ""}`,
    atLeast: 0.8,
    ours: { case: "1024x1024x1024 NN", metric: "speed", contender: /^nabla$/, threads },
    theirs: { case: "1024x1024x1024 NN", metric: "speed", contender: /^openblas$/, threads },
  })),
};
