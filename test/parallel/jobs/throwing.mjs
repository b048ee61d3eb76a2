import { isMainThread } from "node:worker_threads";
import { defineJob, nn, zeros } from "nabla";

class BadLuck extends Error {
  constructor(message, options) {
    super(message, options);
    this.luck = { rows: 13 };
  }
}
const throws = {
  own: () => {
    throw new BadLuck("no luck today", { cause: new RangeError("the dice") });
  },
  nabla: () => zeros([2, 3]).matmul(zeros([2, 3])),
  type: () => null.shape,
  text: () => {
    throw "just text";
  },
  uncloneable: () => {
    throw Object.assign(new Error("with a function"), { helper: () => 1, note: "kept" });
  },
  wrongShape: (loss) => loss.reshape([1, 1]).expand([2, 1]),
  number: () => 1,
  late: async () => {
    await new Promise((resolve) => setTimeout(resolve, 5));
    throw new BadLuck("after loss has been refused");
  },
  none: (loss) => loss,
};

export default defineJob({
  model: (args) => {
    if (args?.onlyInWorkers && !isMainThread) throw new BadLuck("no model in a worker");
    return new nn.Linear(args?.other && !isMainThread ? 3 : 2, 1);
  },
  loss: (model, { x, mode }) => throws[mode](model.forward(x).mean()),
});
