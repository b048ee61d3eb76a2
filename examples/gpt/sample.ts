import { inference, multinomial, RandomGenerator, tensor } from "nabla";
import type { Gpt } from "./model.js";
import { tokenizer } from "./text.js";

export interface SampleOptions {
  readonly length: number;
  readonly seed: number;
  /** Below 1, likely tokens become more likely. */
  readonly temperature: number;
}

/** Text that the model writes after a beginning. Draws from a generator of its own, so that training stays as it is. */
export function writeText(model: Gpt, beginning: string, { length, seed, temperature }: SampleOptions): string {
  const generator = new RandomGenerator(seed);
  const tokens = tokenizer.encode(beginning).toArray<number[]>();
  inference(model, () => {
    while (tokens.length < length) {
      const seen = tensor([tokens.slice(-model.block)], { dtype: "int32" });
      const logits = model.forward(seen).at(0, -1).div(temperature);
      tokens.push(multinomial(logits.softmax(-1), 1, { generator }).item());
    }
  });
  return tokenizer.decode(tokens);
}
