/** The character GPT of examples/gpt, small. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Trainer } from "nabla";
import { afterAll, beforeAll, expect, test } from "vitest";
import job from "../../examples/gpt/job.js";
import type { Gpt } from "../../examples/gpt/model.js";
import { writeText } from "../../examples/gpt/sample.js";
import { tokenizer } from "../../examples/gpt/text.js";

const tokens = (text: string) => tokenizer.encode(text).unsqueeze(0);

const args = { text: "", layers: 1, heads: 2, width: 32, block: 16, dropout: 0 };
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nabla-gpt-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test("it learns a text, and writes it", async () => {
  const text = join(folder, "text.txt");
  writeFileSync(text, "one two three four five six seven eight nine ten. ".repeat(40));
  const small = { ...job, args: { ...args, text }, lr: 1e-2 };
  const { metrics, model } = await new Trainer(small, { steps: 150, evaluate: { every: { steps: 75 } } }).fit();
  expect(metrics["held.loss"]).toBeLessThan(0.3);
  const written = writeText(model as Gpt, "one two three ", { length: 30, seed: 1, temperature: 0.1 });
  expect(written).toBe("one two three four five six se");
});

test("what it has seen later does not change an earlier prediction", () => {
  const model = job.model({ ...args, layers: 2 });
  const [a, b] = ["abcdefgh", "abcdWXYZ"].map((text) => model.eval().forward(tokens(text)).narrow(1, 0, 4).toArray());
  expect(a).toEqual(b);
});
