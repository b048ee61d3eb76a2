/** Logistic regression on a table: `nabla train logistic.js --args.csv FILE --args.target COLUMN`. */
import { defineJob, nn, optim } from "nabla";
import { accuracy, classify } from "../classify.js";
import { sizesOf, splitRows } from "./data.js";

export default defineJob({
  args: { csv: "", target: "species" },
  model: (args) => {
    const { features, classes } = sizesOf(args);
    return new nn.Linear(features, classes);
  },
  data: ({ args }) => splitRows(args),
  loss: classify,
  metrics: { accuracy },
  epochs: 50,
  lr: 0.05,
  optimizer: (parameters, { lr }) => new optim.AdamW(parameters, { lr, weightDecay: 0.01 }),
  evaluate: { every: { epochs: 10 } },
  shards: 1,
});
