/** Text, and the tokens that stand for it. */
import { refuse as refuseArgument } from "../../core/arguments.js";
import { brand } from "../../core/copy.js";
import { dtypes } from "../../core/dtype.js";
import { describe, fail } from "../../core/errors.js";
import { types } from "../../core/node.js";
import { needList } from "../../core/options.js";
import { type FilePath, pathOf } from "../../core/path.js";
import { refuse, type Source } from "../../core/source.js";
import { fromTyped } from "../../tensor/allocate.js";
import { typedArray } from "../../tensor/javascript-memory.js";
import { isTensor, type Tensor } from "../../tensor/tensor.js";
import { afterMark, readWhole } from "./whole-file.js";

/** Turns text into tokens, integers from 0 to `size - 1`, and back. */
export interface Tokenizer {
  /** The number of different tokens. */
  readonly size: number;
  /** The tokens of a text, int32. */
  encode(text: string): Tensor;
  /** The text of tokens. */
  decode(tokens: Tensor | ArrayLike<number>): string;
}

/**
 * Reads a text file in UTF-8, without its byte order mark.
 * @throws ERR_FORMAT if it is not UTF-8; ERR_MEMORY if it is longer than a string can be; ERR_ARGUMENT for a folder, device,
 * FIFO or socket; for a missing file Node's ENOENT error.
 * @example
 * const text = await readText("story.txt");
 * text.length; // 11
 */
export async function readText(path: FilePath): Promise<string> {
  const source = { op: "readText", name: pathOf("readText", path) };
  const bytes = await readWhole(source);
  return decodeUtf8(bytes.subarray(afterMark(bytes, source)), source);
}

function decodeUtf8(bytes: Uint8Array, source: Source): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ERR_STRING_TOO_LONG")
      fail("ERR_MEMORY", source.op, `${source.name} is longer than a string can be; split it, or read its bytes`);
    return refuse(source, "the text is not UTF-8", undefined, (error as Error).message);
  }
}

const needText = (op: string, text: unknown): string =>
  typeof text === "string" ? text : refuseArgument(op, "the text", "a string", text);

/** The tokens in a tensor or list; ERR_ARGUMENT unless they are integers from 0 to `size - 1`. */
function needTokens(op: string, tokens: Tensor | ArrayLike<number>, size: number): number[] {
  const list = isTensor(tokens) ? tokens.toTypedArray() : tokens;
  if (!Array.isArray(list) && (!ArrayBuffer.isView(list) || types.isDataView(list)))
    refuseArgument(op, "the tokens", "a tensor or a list of integers", tokens);
  const all: number[] = [];
  const { length } = list;
  for (let i = 0; i < length; i++) {
    const given: unknown = list[i];
    const token = typeof given === "bigint" ? Number(given) : given;
    if (typeof token !== "number" || !Number.isInteger(token) || token < 0 || token >= size)
      return fail("ERR_ARGUMENT", op, `token ${i} is not valid`, `an integer from 0 to ${size - 1}`, describe(given));
    all.push(token);
  }
  return all;
}

/**
 * The bytes of a text in UTF-8 as tokens: every text has them, and there are 256.
 * @example
 * const tokenizer = new ByteTokenizer();
 * tokenizer.decode(tokenizer.encode("∇x")); // "∇x"
 * tokenizer.encode("∇x").shape; // [4]
 */
export class ByteTokenizer implements Tokenizer {
  readonly size = 256;

  encode(text: string): Tensor {
    const op = "ByteTokenizer.encode";
    const bytes = new TextEncoder().encode(needText(op, text));
    const tokens = typedArray<Int32Array>(op, Int32Array, bytes.length);
    tokens.set(bytes);
    return fromTyped(op, tokens, dtypes.int32, [bytes.length]);
  }

  /** The text; bytes that are not UTF-8 become U+FFFD, as a model may produce them. */
  decode(tokens: Tensor | ArrayLike<number>): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(
      Uint8Array.from(needTokens("ByteTokenizer.decode", tokens, this.size)),
    );
  }
}
brand("other", ByteTokenizer);

/**
 * The characters (code points) of a text as tokens, in the order of their code points.
 * @param characters a text with all characters, or the list of them from {@link CharacterTokenizer.characters}.
 * @throws ERR_ARGUMENT for anything else; `encode` for a text with another character.
 * @example
 * const tokenizer = new CharacterTokenizer("hello");
 * tokenizer.characters; // ["e", "h", "l", "o"]
 * tokenizer.encode("hole").toArray(); // [1, 3, 2, 0]
 * tokenizer.decode([1, 3, 2, 0]); // "hole"
 */
export class CharacterTokenizer implements Tokenizer {
  /** The characters, by token: plain data, from which the same tokenizer is made. */
  readonly characters: readonly string[];
  private readonly tokens: ReadonlyMap<string, number>;

  constructor(characters: string | readonly string[]) {
    const op = "CharacterTokenizer";
    const list =
      typeof characters === "string"
        ? [...new Set(characters)].sort(byCode)
        : needList(op, "characters", characters, "characters");
    const odd = list.findIndex((text) => typeof text !== "string" || [...text].length !== 1);
    if (odd >= 0) refuseArgument(op, "a character", "one character", list[odd]);
    if (new Set(list).size < list.length) refuseArgument(op, "the list", "each character once", characters);
    if (list.length === 0) refuseArgument(op, "the text", "at least one character", characters);
    this.characters = list;
    this.tokens = new Map(list.map((character, token) => [character, token]));
  }

  get size(): number {
    return this.characters.length;
  }

  encode(text: string): Tensor {
    const op = "CharacterTokenizer.encode";
    const tokens = typedArray<Int32Array>(op, Int32Array, needText(op, text).length);
    let count = 0;
    for (const character of text) {
      tokens[count] =
        this.tokens.get(character) ??
        fail(
          "ERR_ARGUMENT",
          op,
          `character ${count} has no token`,
          "the characters of the tokenizer",
          describe(character),
        );
      count++;
    }
    return fromTyped(op, tokens.subarray(0, count), dtypes.int32, [count]);
  }

  decode(tokens: Tensor | ArrayLike<number>): string {
    const all = needTokens("CharacterTokenizer.decode", tokens, this.size);
    return all.map((token) => this.characters[token]!).join("");
  }
}
brand("other", CharacterTokenizer);

const byCode = (a: string, b: string): number => a.codePointAt(0)! - b.codePointAt(0)!;
