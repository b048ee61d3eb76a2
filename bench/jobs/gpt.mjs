// A character GPT of nanoGPT's size for a CPU, on random tokens.
import { defineJob, manualSeed, nn, randint, TokenWindows } from "nabla";
import { GPT } from "../cases/train-gpt.mjs";

const size = { vocabulary: 96, block: 64, width: 128, layers: 4, heads: 4 };

export default defineJob({
  args: size,
  model: (args) => new GPT(args),
  data: () => {
    manualSeed(1);
    return { train: new TokenWindows(randint(0, size.vocabulary, [100_000]), { blockSize: size.block }) };
  },
  loss: (model, [index, target]) =>
    nn.functional.crossEntropy(model.forward(index).reshape([-1, size.vocabulary]), target.reshape([-1])),
  batch: 12,
  lr: 1e-3,
});
