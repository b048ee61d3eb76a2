import { steady } from "../harness/measure.mjs";

const name = "conv net 32-64 on 28x28, batch 64, AdamW";
const spec = { kind: "imageTraining", batch: 64, optimizer: "adamw", lr: 1e-3 };

/** The step of a small convolutional network: two convolutions, a pooling, two linear layers, cross-entropy. */
export const trainConv = {
  name: "train-conv",
  trials: [1, 2].map((threads) => ({
    title: name,
    tolerance: 1e-4,
    pace: steady,
    metrics: [
      { metric: "time", unit: "ms/step", of: (seconds) => seconds * 1e3 },
      { metric: "rate", unit: "samples/s", of: (seconds) => spec.batch / seconds },
    ],
    entries: ["nabla", "pytorch", "pytorch foreach", "pytorch fused"].map((contender) => ({
      case: name,
      contender,
      threads,
      spec,
    })),
  })),
  bounds: [1, 2].map((threads) => ({
    text: `step of the ${name}, against PyTorch at its best, ${threads} thread${threads > 1 ? "s" : ""}`,
    atLeast: 1.3,
    ours: { case: name, metric: "time", contender: /^nabla$/, threads },
    theirs: { case: name, metric: "time", contender: /^pytorch/, threads },
  })),
};
