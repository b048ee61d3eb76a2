// A job that learns the sign of a sum. Arguments slow it down by so many milliseconds a batch, or let it fail in a batch.
import { setTimeout as wait } from "node:timers/promises";
import { defineJob, nn, randn, TensorDataset } from "../../../dist/index.js";

const batch = 32;
let batches = 0;
let evaluated = 0;
let its;

export default defineJob({
  args: { width: 16, rate: 0.1, name: "sign", flags: { bias: true }, slow: 0, slowEvaluation: 0, nanAt: 0, throwAt: 0 },
  model: (args) => {
    its = args;
    return new nn.Sequential(
      new nn.Linear(8, args.width, { bias: args.flags.bias }),
      new nn.ReLU(),
      new nn.Dropout(args.rate),
      new nn.Linear(args.width, 2),
    );
  },
  data: ({ args }) => {
    const x = randn([320, 8]);
    const set = new TensorDataset(x, x.sum(1).gt(0).to("int32"));
    let read = 0;
    const at = async (i) => {
      if (read++ % batch === 0) await wait(args.slow);
      return set.at(i);
    };
    return { train: args.slow > 0 ? { length: set.length, at } : set, test: set };
  },
  loss: (model, [x, y]) => {
    const output = model.forward(x);
    const loss = nn.functional.crossEntropy(output, y);
    if (!model.training) return { loss, output };
    batches++;
    if (batches === its.throwAt) throw new Error("the data is <bad>");
    return { loss: batches === its.nanAt ? loss.mul(Number.NaN) : loss, output };
  },
  metrics: {
    accuracy: (output, [, y]) => {
      if (evaluated++ === 0) console.error("evaluating");
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, its.slowEvaluation);
      return output.argmax(1).eq(y);
    },
  },
  batch,
  epochs: 4,
  lr: 0.01,
  clip: 1,
  shards: 1,
  checkpoint: { every: { steps: 5 }, best: "test.accuracy" },
});
