import { steady } from "../harness/measure.mjs";

const common = { kind: "gpt", vocabulary: 65, lr: 3e-4 };
const rivals = ["pytorch", "pytorch-debian"].flatMap((build) => ["", " foreach", " fused"].map((set) => build + set));
const models = [
  {
    name: "GPT 4x128, block 64, batch 12",
    spec: {
      ...common,
      layers: 4,
      width: 128,
      heads: 4,
      block: 64,
      batch: 12,
      losses: [4.417827092, 4.214918765, 4.123500684],
    },
  },
  {
    name: "GPT 6x384, block 128, batch 8",
    spec: {
      ...common,
      layers: 6,
      width: 384,
      heads: 6,
      block: 128,
      batch: 8,
      losses: [4.383727112, 4.281508392, 4.106408274],
    },
  },
];

/** The step of a small GPT: forward, backward, AdamW; the first three losses are PyTorch's in float64. */
export const trainGpt = {
  name: "train-gpt",
  trials: [1, 2].flatMap((threads) =>
    models.map(({ name, spec }) => ({
      title: name,
      tolerance: 1e-4,
      pace: steady,
      metrics: [
        { metric: "time", unit: "ms/step", of: (seconds) => seconds * 1e3 },
        { metric: "rate", unit: "tokens/s", of: (seconds) => (spec.batch * spec.block) / seconds },
      ],
      entries: ["nabla", ...rivals].map((contender) => ({ case: name, contender, threads, spec })),
    })),
  ),
  bounds: [1, 2].flatMap((threads) =>
    models.map(({ name }) => ({
      text: `step of ${name}, against PyTorch at its best, ${threads} thread${threads > 1 ? "s" : ""}`,
      atLeast: 1.3,
      ours: { case: name, metric: "time", contender: /^nabla$/, threads },
      theirs: { case: name, metric: "time", contender: /^pytorch/, threads },
    })),
  ),
};
