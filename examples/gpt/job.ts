/**
 * A GPT that learns to write, character by character: nanoGPT's size for a CPU. Trains on Moby-Dick, or on any text file:
 * `--args.text story.txt`.
 */
import { crossEntropy, defineJob, optim, type Tensor, TokenWindows } from "nabla";
import { Gpt } from "./model.js";
import { loadTokens, tokenizer } from "./text.js";

const lowest = 0.1;
const warmup = 100;

export default defineJob({
  args: { text: "", layers: 4, heads: 4, width: 128, block: 64, dropout: 0 },
  model: (args) => new Gpt({ ...args, vocabulary: tokenizer.size }),
  loss: (model, [index, target]: [Tensor, Tensor]) =>
    crossEntropy(model.forward(index).reshape([-1, tokenizer.size]), target.reshape([-1])),
  data: async ({ args: { text, block } }) => {
    const { train, held } = await loadTokens(text);
    return {
      train: new TokenWindows(train, { blockSize: block }),
      held: new TokenWindows(held, { blockSize: block, stride: block }),
    };
  },
  batch: 12,
  steps: 2_000,
  lr: 1e-3,
  optimizer: (parameters, { lr }) =>
    new optim.AdamW(
      [
        { params: parameters.filter((p) => p.ndim > 1), weightDecay: 0.1 },
        { params: parameters.filter((p) => p.ndim < 2), weightDecay: 0 },
      ],
      { lr, betas: [0.9, 0.99] },
    ),
  // Rises over the first steps, then falls along half a cosine to a tenth.
  schedule: (optimizer, { steps }) =>
    new optim.LambdaLR(optimizer, {
      lrLambda: (step) => {
        if (step < warmup) return (step + 1) / (warmup + 1);
        const done = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
        return lowest + ((1 - lowest) * (1 + Math.cos(Math.PI * done))) / 2;
      },
    }),
  clip: 1,
  shards: 1,
  evaluate: { every: { steps: 500 } },
  checkpoint: { every: { steps: 500 }, best: "held.loss" },
});
