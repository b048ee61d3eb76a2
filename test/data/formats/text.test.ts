import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { ByteTokenizer, CharacterTokenizer, readText, tensor } from "nabla";
import { describe, expect, test } from "vitest";

const refused = (op: string) => expect.objectContaining({ name: "NablaError", code: "ERR_ARGUMENT", op });

describe("a text file", () => {
  test("is read without its mark; what is no text, no file or missing is refused", async () => {
    const dir = await mkdtemp(join(tmpdir(), "nabla-text-"));
    const path = join(dir, "x.txt");
    await writeFile(path, "\ufeffé\r\n🙂");
    expect(await readText(path)).toBe("é\r\n🙂");
    await writeFile(path, "");
    expect(await readText(path)).toBe("");
    for (const bytes of [
      [0xff, 0xfe, 0x61, 0],
      [0x61, 0xe9],
      [0xed, 0xa0, 0x80],
    ]) {
      await writeFile(path, Uint8Array.from(bytes));
      await expect(readText(path)).rejects.toMatchObject({ name: "NablaError", code: "ERR_FORMAT" });
    }
    await expect(readText(dir)).rejects.toThrowError(refused("readText"));
    await expect(readText(join(dir, "none"))).rejects.toMatchObject({ code: "ENOENT", name: "Error" });
    if (process.platform !== "win32") {
      execFileSync("mkfifo", [join(dir, "fifo")]);
      await expect(readText(join(dir, "fifo"))).rejects.toThrowError(refused("readText"));
    }
    await rm(dir, { recursive: true });
  });
});

describe("tokens", () => {
  test("of any text give it back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
        for (const tokenizer of [new ByteTokenizer(), new CharacterTokenizer(text)]) {
          const tokens = tokenizer.encode(text);
          expect(tokens.dtype).toBe("int32");
          expect(tokenizer.decode(tokens)).toBe(text);
          expect(tokenizer.decode(tokens.toTypedArray() as Int32Array)).toBe(text);
        }
      }),
    );
  });

  test("of bytes are those of UTF-8; what is no UTF-8 is shown as U+FFFD", () => {
    const tokenizer = new ByteTokenizer();
    expect([tokenizer.size, tokenizer.encode("é🙂").toArray()]).toEqual([256, [0xc3, 0xa9, 0xf0, 0x9f, 0x99, 0x82]]);
    expect(tokenizer.decode([0x61, 0xff, 0x62])).toBe("a\ufffdb");
    expect(tokenizer.decode(tokenizer.encode("\ufeffa"))).toBe("\ufeffa");
    expect(tokenizer.encode("").shape).toEqual([0]);
  });

  test("of characters are in the order of code points, and the characters make the same tokenizer", () => {
    const tokenizer = new CharacterTokenizer("banana 🙂ｚ");
    expect(tokenizer.characters).toEqual([" ", "a", "b", "n", "ｚ", "🙂"]);
    const again = new CharacterTokenizer(JSON.parse(JSON.stringify(tokenizer.characters)));
    expect([again.size, again.encode("ban🙂").toArray()]).toEqual([6, [2, 1, 3, 5]]);
  });

  test.each([
    ["no text", () => new CharacterTokenizer("")],
    ["no characters", () => new CharacterTokenizer(["ab"])],
    ["a character twice", () => new CharacterTokenizer(["a", "a"])],
    ["a hole", () => new CharacterTokenizer([undefined] as never)],
    ["a number", () => new CharacterTokenizer(3 as never)],
  ])("%s is ERR_ARGUMENT", (_, make) => expect(make).toThrowError(refused("CharacterTokenizer")));

  test("that are not valid are ERR_ARGUMENT", () => {
    const tokenizer = new CharacterTokenizer("ab");
    expect(() => tokenizer.encode("abc")).toThrowError(
      'character 2 has no token; expected the characters of the tokenizer, got "c"',
    );
    expect(() => tokenizer.encode(3 as never)).toThrowError(refused("CharacterTokenizer.encode"));
    for (const tokens of [[2], [-1], [0.5], "ab", null, tensor([0.5]), new DataView(new ArrayBuffer(1))])
      expect(() => tokenizer.decode(tokens as never)).toThrowError(refused("CharacterTokenizer.decode"));
    expect(() => new ByteTokenizer().decode([256])).toThrowError(refused("ByteTokenizer.decode"));
    expect(() => new ByteTokenizer().encode(null as never)).toThrowError(refused("ByteTokenizer.encode"));
  });
});
