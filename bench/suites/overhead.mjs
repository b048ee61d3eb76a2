const rivals = ["pytorch", "pytorch-debian", "tfjs-cpu", "jax-js"];
const nanoseconds = { metric: "time", unit: "ns/op", of: (seconds) => seconds * 1e9 };
const microseconds = { metric: "time", unit: "us/step", of: (seconds) => seconds * 1e6 };

const perceptron = { kind: "training", sizes: [2, 16, 1], batch: 32, task: "values", optimizer: "sgd", lr: 0.1 };
// "not" leaves out who records no tape before a derivative is asked for.
const cases = {
  "forward, 4 elements": { spec: { kind: "forward", check: "product" }, unit: nanoseconds, also: ["numpy"] },
  "forward on the tape, 4 elements": {
    spec: { kind: "forward", recorded: true, check: "product" },
    unit: nanoseconds,
    not: ["tfjs-cpu", "jax-js"],
  },
  "forward and backward, 4 elements": {
    spec: { kind: "bothWays", through: "gradient", check: "productGradient" },
    unit: nanoseconds,
  },
  "forward, sum and backward, 4 elements": {
    spec: { kind: "bothWays", through: "sum", check: "productGradient" },
    unit: nanoseconds,
  },
  "perceptron 2-16-1, batch 32": {
    spec: perceptron,
    unit: microseconds,
    also: ["pytorch foreach", "pytorch fused", "pytorch-debian foreach"],
  },
};

function trial(name, threads) {
  const { spec, unit, also = [], not = [] } = cases[name];
  return {
    title: name,
    tolerance: 1e-4,
    metrics: [unit],
    entries: ["nabla", ...rivals.filter((rival) => !not.includes(rival)), ...also].map((contender) => ({
      case: name,
      contender,
      threads,
      spec,
    })),
  };
}

const bound = (name, atLeast) => ({
  text: `${name}, against PyTorch at its best`,
  atLeast,
  ours: { case: name, metric: "time", contender: /^nabla$/ },
  theirs: { case: name, metric: "time", contender: /^pytorch/ },
});

/** What a call costs where there is next to nothing to compute. */
export const overhead = {
  name: "overhead",
  trials: [1, 2].flatMap((threads) => Object.keys(cases).map((name) => trial(name, threads))),
  bounds: [
    bound("forward, 4 elements", 5),
    bound("forward and backward, 4 elements", 3),
    bound("forward, sum and backward, 4 elements", 3),
    bound("perceptron 2-16-1, batch 32", 5),
  ],
};
