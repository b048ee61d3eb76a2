/** A multilayer perceptron on a table: `nabla train mlp.js --args.csv FILE --args.target COLUMN`. */
import { defineJob, nn, optim } from "nabla";
import { accuracy, classify } from "../classify.js";
import { sizesOf, splitRows } from "./data.js";

export default defineJob({
  args: { csv: "", target: "species", width: 32, dropout: 0.1 },
  model: ({ width, dropout, ...table }) => {
    const { features, classes } = sizesOf(table);
    return new nn.Sequential(
      new nn.Linear(features, width),
      new nn.ReLU(),
      new nn.Dropout(dropout),
      new nn.Linear(width, classes),
    );
  },
  data: ({ args }) => splitRows(args),
  loss: classify,
  metrics: { accuracy },
  epochs: 50,
  lr: 0.01,
  optimizer: (parameters, { lr }) => new optim.AdamW(parameters, { lr, weightDecay: 0.01 }),
  stop: { metric: "test.loss", patience: 10 },
  shards: 1,
});
