import { execFileSync } from "node:child_process";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataLoader, type JsonLinesOptions, readJsonLines } from "nabla";
import { afterEach, beforeEach, expect, test } from "vitest";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "nabla-lines-"));
});
afterEach(() => rm(dir, { recursive: true }));

async function open(content: string | Uint8Array, options?: JsonLinesOptions) {
  const path = join(dir, "x.jsonl");
  await writeFile(path, content);
  return readJsonLines(path, options);
}
async function all(content: string | Uint8Array) {
  const lines = await open(content);
  const values = [];
  for (let i = 0; i < lines.length; i++) values.push(await lines.at(i));
  await lines.close();
  return values;
}

test.each([
  ["each line has a value", '{"a":1}\n[2]\n"x"\n', [{ a: 1 }, [2], "x"]],
  ["without a line break at the end", "1\n2", [1, 2]],
  ["with CR LF and empty lines", "\r\n1\r\n\n \t\n2\r\n\r\n", [1, 2]],
  ["with a byte order mark", "\ufeff1\n2\n", [1, 2]],
  ["other scripts", '"é"\n"🙂"\n', ["é", "🙂"]],
  ["an empty file has none", "", []],
  ["of white space has none", "\n \n", []],
])("%s", async (_, content, values) => expect(await all(content)).toEqual(values));

test("lines across the pieces in which the file is read", async () => {
  const values = Array.from({ length: 3000 }, (_, i) => ({ i, text: "x".repeat((i * 7919) % 2000) }));
  expect(await all(values.map((value) => JSON.stringify(value)).join("\n"))).toEqual(values);
  const long = { text: "y".repeat(3 * 2 ** 20) };
  expect(await all(`1\n${JSON.stringify(long)}\n2\n`)).toEqual([1, long, 2]);
});

test("values are read by position, in any order, and by a loader", async () => {
  const lines = await open("10\n\n20\n30\n");
  expect([await lines.at(-1), await lines.at(0), await lines.at(1)]).toEqual([30, 10, 20]);
  expect([0, 1, 2].map((i) => lines.offset(i))).toEqual([0, 4, 7]);
  const batches = [];
  for await (const batch of new DataLoader<number>(lines as never, { batchSize: 2 })) batches.push(batch.toArray());
  expect(batches).toEqual([[10, 20], [30]]);
  for (const i of [3, -4, 0.5, "1"]) await expect(lines.at(i as never)).rejects.toMatchObject({ code: "ERR_INDEX" });
  await lines.close();
  await lines.close();
  await expect(lines.at(0)).rejects.toMatchObject({ name: "NablaError", code: "ERR_DISPOSED" });
});

test("a file is closed after the reads that are under way", async () => {
  for (let i = 0; i < 200; i++) {
    const lines = await open("10\n20\n30\n");
    const [values] = await Promise.all([Promise.all([0, 1, 2].map((at) => lines.at(at))), lines.close()]);
    expect(values).toEqual([10, 20, 30]);
  }
});

test("what is not JSON is ERR_FORMAT when it is asked for", async () => {
  const lines = await open(Buffer.concat([Buffer.from('1\n{"a":\n[2]\n'), Buffer.from([0x22, 0xff, 0x22])]));
  expect([await lines.at(0), await lines.at(2)]).toEqual([1, [2]]);
  const refused = (i: number) =>
    expect.objectContaining({ code: "ERR_FORMAT", message: expect.stringContaining(`value ${i} is not JSON`) });
  await expect(lines.at(1)).rejects.toThrowError(refused(1));
  await expect(lines.at(3)).rejects.toThrowError(refused(3));
  await truncate(join(dir, "x.jsonl"), 3);
  await expect(lines.at(2)).rejects.toMatchObject({ code: "ERR_FORMAT" });
  await lines.close();
});

test("a long line is refused before it is read, and empty ones take no memory", async () => {
  const path = join(dir, "long.jsonl");
  await writeFile(path, "1\n");
  await truncate(path, 2 ** 30);
  await expect(readJsonLines(path)).rejects.toThrowError(/value 1 is too long; expected at most 16777216 bytes/);
  await expect(open('"abcdef"\n', { longestLine: 7 })).rejects.toMatchObject({ code: "ERR_FORMAT" });
  const lines = await open(`"abcdef"${"\n".repeat(2 ** 22)}1\n`, { longestLine: 8 });
  expect([lines.length, await lines.at(0), await lines.at(1)]).toEqual([2, "abcdef", 1]);
  await lines.close();
});

test("what is no file is refused", async () => {
  const refused = expect.objectContaining({ name: "NablaError", code: "ERR_ARGUMENT", op: "readJsonLines" });
  await expect(readJsonLines(dir)).rejects.toThrowError(refused);
  await expect(open("1", { longestLine: 0 })).rejects.toThrowError(refused);
  await expect(readJsonLines(join(dir, "none"))).rejects.toMatchObject({ code: "ENOENT", name: "Error" });
  if (process.platform === "win32") return;
  execFileSync("mkfifo", [join(dir, "fifo")]);
  await expect(readJsonLines(join(dir, "fifo"))).rejects.toThrowError(refused);
});
