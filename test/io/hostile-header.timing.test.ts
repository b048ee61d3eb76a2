import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { loadSafetensors } from "nabla";
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

const hostile: Record<string, () => Uint8Array> = {
  "tensors without elements": () => header((i) => `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`),
  "tensors that are none": () => header((i) => `"${i}":0`),
  notes: () => {
    const bytes = header((i) => (i === 0 ? '"__metadata__":{"0":""' : `"${i}":""`));
    bytes[bytes.length - 1] = 0x7d;
    return bytes;
  },
};

test.each(Object.keys(hostile))(
  "a header of 100 MB of %s keeps the event loop for less than a second",
  async (name) => {
    const dir = await mkdtemp(join(tmpdir(), "nabla-header-"));
    try {
      const path = join(dir, "w");
      await writeFile(path, hostile[name]!());
      const delay = monitorEventLoopDelay({ resolution: 10 });
      await new Promise((resolve) => setTimeout(resolve, 50));
      delay.enable();
      await loadSafetensors(path).catch((error: { code: string }) => expect(error.code).toBe("ERR_FORMAT"));
      await new Promise((resolve) => setTimeout(resolve, 50));
      delay.disable();
      expect(delay.max / 1e9).toBeLessThan(1);
    } finally {
      await rm(dir, { recursive: true });
    }
  },
  120_000,
);
