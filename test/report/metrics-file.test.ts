import { execFileSync } from "node:child_process";
import { pbkdf2 } from "node:crypto";
import { closeSync, openSync, statSync } from "node:fs";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { MetricsFile, readEvents } from "nabla/internal";
import { afterEach, beforeEach, expect, test } from "vitest";
import { end, evaluate, start, step, warning } from "./events.js";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nabla-metrics-"));
  path = join(folder, "metrics.jsonl");
});
afterEach(() => rm(folder, { recursive: true }));

const silent = (message: string): never => {
  throw new Error(message);
};
const open = (bytes?: number) => {
  const file = new MetricsFile(path, silent);
  if (bytes !== undefined) file.loadStateDict({ bytes });
  return file;
};

async function read(): Promise<Record<string, unknown>[]> {
  const events: Record<string, unknown>[] = [];
  for await (const event of readEvents("readEvents", path)) events.push({ ...event });
  return events;
}
const steps = async () => (await read()).map((event) => event["step"]);

test("every event is read as it was written, with the time, also where numbers are not finite", async () => {
  const events = [
    start({ run: "NaN" }),
    step(1, { loss: Number.NaN, gradNorm: Number.POSITIVE_INFINITY, log: { path: Number.NEGATIVE_INFINITY, a: 0.1 } }),
    evaluate(1, { "test.loss": Number.NaN, "test.ok": 1 / 3 }, true),
    warning('a "quoted" line\nand another'),
    end(1, { reason: "nan", checkpoint: "NaN" }),
  ];
  const file = open();
  const before = Date.now() / 1000;
  for (const event of events) file.observe(event);
  await file.close();
  const found = await read();
  expect(found.map(({ time: _, ...event }) => event)).toEqual(events);
  for (const { time } of found) expect(Math.abs((time as number) - before)).toBeLessThan(10);
  expect((await readFile(path, "utf8")).split("\n")).toHaveLength(events.length + 1);
});

test("a file goes on where its state says: what is behind it is cut", async () => {
  const first = open();
  for (let i = 1; i <= 3; i++) first.observe(step(i));
  const { bytes } = first.stateDict();
  expect(bytes).toBe((await readFile(path)).length);
  for (let i = 4; i <= 5; i++) first.observe(step(i));
  await first.close();
  expect(await steps()).toEqual([1, 2, 3, 4, 5]);
  const second = open(bytes);
  second.observe(step(4));
  await second.close();
  expect(await steps()).toEqual([1, 2, 3, 4]);
});

test("a file that is shorter than its state says loses only the line that is not whole", async () => {
  const first = open();
  for (let i = 1; i <= 3; i++) first.observe(step(i));
  const { bytes } = first.stateDict();
  await first.close();
  await writeFile(path, (await readFile(path)).subarray(0, bytes - 7));
  const second = open(bytes);
  second.observe(step(4));
  await second.close();
  expect(await steps()).toEqual([1, 2, 4]);
});

test("a file without a state begins anew", async () => {
  await writeFile(path, "something else\n");
  const file = open();
  file.observe(step(1));
  await file.close();
  expect(await steps()).toEqual([1]);
});

test("states that are asked for while lines are written in the background hold all lines, each once", async () => {
  const file = open();
  let last = 0;
  for (let i = 1; i <= 5000; i++) {
    file.observe(step(i));
    if (i % 997 === 0) {
      const { bytes } = file.stateDict();
      const text = (await readFile(path)).subarray(0, bytes).toString();
      expect(JSON.parse(text.trimEnd().split("\n").at(-1)!).step).toBe(i);
      last = bytes;
    }
  }
  await file.close();
  expect(last).toBeGreaterThan(0);
  expect(await steps()).toEqual(Array.from({ length: 5000 }, (_, i) => i + 1));
});

test("a file is closed only when no write is under way: its descriptor may be another file's by then", async () => {
  const file = open();
  const fill = (from: number) => {
    for (let i = from; i < from + 512; i++) file.observe(step(i)); // begins a write
  };
  fill(1);
  // Every thread that writes is busy, so that the second write comes late.
  const busy = Array.from({ length: 8 }, () => promisify(pbkdf2)("a", "b", 300_000, 32, "sha256"));
  fill(513);
  await file.close();
  const other = join(folder, "other");
  const descriptor = openSync(other, "w");
  await Promise.all(busy);
  await promisify(setTimeout)(20);
  closeSync(descriptor);
  expect(statSync(other).size).toBe(0);
  expect(await steps()).toEqual(Array.from({ length: 1024 }, (_, i) => i + 1));
});

test("a last line that is not whole is dropped; any other line that is no event is ERR_FORMAT", async () => {
  const file = open();
  file.observe(step(1));
  await file.close();
  await appendFile(path, '{"time":1,"type":"st');
  expect(await steps()).toEqual([1]);
  for (const bad of [
    "{}",
    "[]",
    "null",
    '{"time":1,"type":"step","step":"1"}',
    '{"time":1,"type":"toString","step":1}',
    "x",
  ]) {
    await writeFile(path, `${bad}\n{"time":1,"type":"warning","code":"a","message":"b","step":1}\n`);
    await expect(read(), bad).rejects.toThrowError(
      expect.objectContaining({ code: "ERR_FORMAT", message: expect.stringMatching(/line 1 of .*metrics\.jsonl/) }),
    );
  }
});

test.runIf(process.platform !== "win32")("a full disk is one warning, and the run goes on", () => {
  const script = fileURLToPath(new URL("scripts/full-disk.mjs", import.meta.url));
  const limited = `trap '' XFSZ; ulimit -f 64; exec "$0" "$1" "$2"`; // 32 or 64 KB
  const output = execFileSync("sh", ["-c", limited, process.execPath, script, path], { encoding: "utf8" });
  const { warnings, events } = JSON.parse(output);
  expect(warnings).toEqual([expect.stringMatching(/metrics\.jsonl cannot be written: EFBIG/)]);
  expect(events).toBeGreaterThan(50);
  expect(events).toBeLessThan(2000);
});
