import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeNpy, loadNpy, loadSafetensors, type Tensor, zeros } from "nabla";
import { afterAll, beforeAll, expect, test } from "vitest";

const GB = 2 ** 30;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "nabla-map-"));
});
afterAll(() => rm(dir, { recursive: true }));

/** A file of a gigabyte, most of which is a hole. */
async function large(name: string, small: Uint8Array, from: string, to: string): Promise<string> {
  const path = join(dir, name);
  const at = Buffer.from(small).indexOf(from);
  const header = small.slice(0, small.length - 4);
  header.set(Buffer.from(to), at);
  await writeFile(path, header);
  await truncate(path, header.length + GB);
  return path;
}

test("the first use of a mapped file of 1 GB takes less than 5 ms", async () => {
  const npy = await large("x.npy", encodeNpy(zeros([1])), "(1,), }            ", "(268435456,), }   ");
  const text = '{"a":{"dtype":"F32","shape":[268435456],"data_offsets":[0,1073741824]}}';
  const header = new Uint8Array(8 + 72 + 4).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, 72n, true);
  const safetensors = await large("x.safetensors", header, " ".repeat(72), text);
  const milliseconds = async (use: () => Promise<Tensor>): Promise<number> => {
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      const start = performance.now();
      expect((await use()).at(2 ** 27).item()).toBe(0);
      times.push(performance.now() - start);
    }
    return Math.min(...times);
  };
  expect(await milliseconds(() => loadNpy(npy, { map: true }))).toBeLessThan(5);
  expect(await milliseconds(async () => (await loadSafetensors(safetensors, { map: true })).a as Tensor)).toBeLessThan(
    5,
  );
});
