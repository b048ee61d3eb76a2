import { workOf } from "../harness/work.mjs";

const blas = ["openblas", "blis", "onednn", "numpy", "pytorch"];
const others = ["pytorch-debian", "tfjs-wasm", "jax-js"];
const layouts = ["NN", "NT", "TN"];

// m x n x k, by the bound that judges them.
const cubes = (sizes) => sizes.flatMap((size) => layouts.map((layout) => [size, size, size, layout]));
const squares = cubes([64, 128, 256, 512, 1024, 2048, 4096]);
const skinny = [
  ...[1, 4, 8, 32, 128].flatMap((m) => [768, 3072].map((n) => [m, n, 768])),
  [128, 512, 784],
  [256, 50257, 768],
].flatMap((shape) => ["NN", "NT"].map((layout) => [...shape, layout]));
const batches = ["NN", "NT"].map((layout) => [64, 64, 32, layout, { batch: 96 }]);
const doubles = cubes([64, 256, 1024]).map((shape) => [...shape, { dtype: "float64" }]);
// The products of the perceptron 784-512-256-10 at batch 128: forward, then gradients of weights and inputs.
const perceptron = [
  [128, 256, 512, "NT"],
  [128, 10, 256, "NT"],
  [512, 784, 128, "TN"],
  [256, 512, 128, "TN"],
  [128, 512, 256, "NN"],
];

const title = ([m, n, k, layout, { batch, dtype } = {}]) =>
  `${batch ? `${batch} x ` : ""}${m}x${n}x${k} ${layout}${dtype ? ` ${dtype}` : ""}`;

function trial(shape, rivals, threads) {
  const [m, n, k, layout, options] = shape;
  const spec = { kind: "matmul", m, k, n, transA: layout[0] === "T", transB: layout[1] === "T", ...options };
  const batch = options?.batch ? [options.batch] : [];
  const { flops } = workOf(
    [
      [...batch, m, k],
      [...batch, k, n],
    ],
    (a, b) => a.matmul(b),
    options?.dtype,
  );
  return {
    title: title(shape),
    tolerance: options?.dtype ? 1e-10 : 2e-4,
    yardstick: "fma loop",
    metrics: [{ metric: "speed", unit: "GFLOP/s", of: (seconds, { work = flops }) => work / seconds / 1e9 }],
    entries: ["nabla", ...rivals, "fma loop"].map((contender) => ({ case: title(shape), contender, threads, spec })),
  };
}

const speed = { metric: "speed", contender: /^nabla$/ };
const rival = { metric: "speed", contender: /^(?!nabla|fma loop)/ };
const inAll = (what, shapes, ours, theirs, target) =>
  [1, 2].map((threads) => ({
    text: `${what}, ${threads} thread${threads > 1 ? "s" : ""}`,
    cases: shapes.map(title),
    ours: { ...ours, threads },
    theirs: theirs && { ...theirs, threads },
    ...target,
  }));

const bigSquares = squares.filter(([size]) => size >= 512);
const everyday = (shape) => perceptron.includes(shape) || (squares.includes(shape) && shape[0] <= 1024);

/** Matrix products, `m x n x k`, with either operand stored transposed. */
export const gemm = {
  name: "gemm",
  trials: [1, 2].flatMap((threads) =>
    [...squares, ...skinny, ...batches, ...perceptron, ...doubles].map((shape) =>
      trial(shape, everyday(shape) ? [...blas, ...others] : blas, threads),
    ),
  ),
  bounds: [
    ...[1, 2].map((threads) => ({
      text: `matmul 1024x1024x1024 against OpenBLAS, ${threads} thread${threads > 1 ? "s" : ""}`,
      atLeast: 0.8,
      ours: { case: "1024x1024x1024 NN", ...speed, threads },
      theirs: { case: "1024x1024x1024 NN", metric: "speed", contender: /^openblas$/, threads },
    })),
    ...inAll("squares 64 to 4096, NN NT TN", squares, speed, rival, { mean: 1, worst: 0.9 }),
    ...inAll(
      "squares from 512 up, of the FMA loop",
      bigSquares,
      speed,
      { ...speed, contender: /^fma loop$/ },
      { worst: 0.88 },
    ),
    ...inAll("skinny and training shapes", [...skinny, ...batches], speed, rival, { mean: 1, worst: 0.85 }),
    ...inAll("float64 squares", doubles, speed, rival, { worst: 0.95 }),
  ],
};
