import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSafetensors, NablaError } from "nabla";
import { expect, test } from "vitest";

/** A header that is as large as one may be, of entries that are as small as they can be. */
function header(entry: (i: number) => string): Uint8Array {
  const parts: string[] = [];
  for (let size = 2, i = 0; size < 99_900_000; i++) {
    const part = `${i > 0 ? "," : ""}${entry(i)}`;
    parts.push(part);
    size += part.length;
  }
  const json = Buffer.from(`{${parts.join("")}}`);
  const bytes = new Uint8Array(8 + json.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

/** The most processor time that passed between two turns of the event loop, in seconds: of no interest to other processes. */
function watchTurns(): () => Promise<number> {
  let [last, most] = [process.cpuUsage(), 0];
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage(last);
    last = process.cpuUsage();
    most = Math.max(most, (user + system) / 1e6);
  }, 1);
  return async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    clearInterval(timer);
    return most;
  };
}

const hostile: Record<string, () => Uint8Array> = {
  "tensors without elements": () => header((i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`),
  "tensors of one element"() {
    let count = 0;
    const start = header((i) => {
      count = i + 1;
      return `"${i}":{"dtype":"U8","shape":[1],"data_offsets":[${i},${i + 1}]}`;
    });
    return Buffer.concat([start, Uint8Array.from({ length: count }, (_, i) => i)]);
  },
  "tensors that are none": () => header((i) => `"${i}":0`),
  notes: () => {
    const bytes = header((i) => (i === 0 ? '"__metadata__":{"0":""' : `"${i}":""`));
    bytes[bytes.length - 1] = 0x7d;
    return bytes;
  },
};

test.each([
  ["tensors without elements", null],
  ["tensors of one element", null],
  ["tensors that are none", /bad entry; expected an object/],
  ["notes", /^loadSafetensors: .*: __metadata__ has too many notes; expected at most 1000000$/],
])(
  "a header of 100 MB of %s keeps the event loop for less than a second",
  async (name, refused) => {
    const dir = await mkdtemp(join(tmpdir(), "nabla-header-"));
    try {
      const path = join(dir, "w");
      await writeFile(path, hostile[name]!());
      const longest = watchTurns();
      const loaded = await loadSafetensors(path).catch((error: NablaError) => error);
      const held = await longest();
      if (loaded instanceof NablaError) {
        expect(loaded.code).toBe("ERR_FORMAT");
        expect(loaded.message).toMatch(refused ?? "a result");
      } else {
        const names = Object.keys(loaded);
        expect(names.length).toBeGreaterThan(1_400_000);
        for (const i of [0, 77, 262_144, 1_000_001])
          expect(loaded[i]!.toArray()).toEqual(name === "tensors of one element" ? [i % 256] : []);
        expect(refused).toBeNull();
      }
      expect(held).toBeLessThan(1);
    } finally {
      await rm(dir, { recursive: true });
    }
  },
  120_000,
);
