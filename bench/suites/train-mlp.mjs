import { steady } from "../harness/measure.mjs";

const name = "784-512-256-10, batch 128, AdamW";
const batch = 128;
const spec = { kind: "training", sizes: [784, 512, 256, 10], batch, task: "classes", optimizer: "adamw", lr: 1e-3 };
const settings = ["", " foreach", " fused"];
const rivals = ["pytorch", "pytorch-debian"].flatMap((build) => settings.map((setting) => build + setting));

// tfjs has no AdamW: it takes Adam, which does less.
const specs = { "tfjs-wasm": { ...spec, optimizer: "adam" } };

const bound = (rival, atLeast, contender) => ({
  text: `step of the MLP ${name}, against ${rival}`,
  atLeast,
  ours: { case: name, metric: "time", contender: /^nabla$/ },
  theirs: { case: name, metric: "time", contender },
});

/** The step of a perceptron with ReLU and cross-entropy: forward, backward, optimizer. */
export const trainMlp = {
  name: "train-mlp",
  trials: [1, 2].map((threads) => ({
    title: name,
    tolerance: 1e-4,
    pace: steady,
    metrics: [
      { metric: "time", unit: "ms/step", of: (seconds) => seconds * 1e3 },
      { metric: "rate", unit: "samples/s", of: (seconds) => batch / seconds },
    ],
    entries: ["nabla", ...rivals, "tfjs-wasm", "jax-js"].map((contender) => ({
      case: name,
      contender,
      threads,
      spec: specs[contender] ?? spec,
    })),
  })),
  bounds: [
    bound("PyTorch at its best", 1, /^pytorch/),
    bound("jax-js", 10, /^jax-js$/),
    bound("tfjs wasm (Adam)", 10, /^tfjs-wasm$/),
  ],
};
