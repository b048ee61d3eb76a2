import { expect, test } from "vitest";
import { answer, child } from "../support/child.js";

const script = (name: string) => new URL(`./scripts/${name}.mjs`, import.meta.url);

test("tensors are shared with users' own workers, both ways, for as long as anybody holds them", async () => {
  const { tally, ...said } = await answer<Record<string, unknown> & { tally: Record<string, number> }>(script("share"));
  expect(said).toEqual({
    there: [
      [1, 2, 3],
      [4, 5, 6],
    ],
    seenHere: [
      [7, 7, 7],
      [7, 7, 7],
    ],
    seenThere: [
      [9, 8, 7],
      [7, 7, 7],
    ],
    view: [
      [7, 8],
      [7, 7],
    ],
    scalar: 7,
    empty: [],
    wide: [
      [0, 1, 2],
      [0, 1, 2],
    ],
    writeWide: { code: "ERR_ARGUMENT", message: expect.stringContaining("expanded") },
    fromWorker: [[1.5], [2.5]],
    droppedByBoth: "NablaError ERR_WORKER",
    afterTheEnd: [[[1.5], [2.5]], 8],
    writable: [[5], [5]],
    lost: "NablaError ERR_WORKER",
    keptByMessage: [1, 2, 3],
    released: "NablaError ERR_WORKER",
    usedAfterDispose: "NablaError ERR_DISPOSED",
    posting: "NablaError ERR_WORKER",
    cloning: "NablaError ERR_WORKER",
    origin: [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
  });
  // Descriptions that share() did not make are refused, or lie inside the storage they name.
  for (const outcome of Object.keys(tally))
    expect(outcome).toMatch(
      /^(id: |junk: )?(NablaError )?(inside|ERR_(ARGUMENT|SHAPE|DTYPE|MEMORY|WORKER))$|^id: attached$/,
    );
  expect(tally["inside"]).toBeGreaterThan(100);
  expect(tally["ERR_ARGUMENT"]).toBeGreaterThan(10_000);
});

test("100 workers that compute and are terminated at random moments leave nothing behind", {
  timeout: 60_000,
}, async () => {
  const { live, same, grown } = await answer<{ live: number; same: boolean; grown: number }>(script("many-workers"), {
    args: [100],
  });
  expect(live).toBe(0);
  expect(same).toBe(true);
  expect(grown).toBeLessThan(50);
});

test("workers load the library that the main thread has not", async () => {
  const said = await answer<number[]>(script("worker-only"), { env: { NABLA_ENTRY: import.meta.resolve("nabla") } });
  expect(said).toEqual(Array(4).fill(512 ** 3));
});

test.each([
  ["exit", 3, null],
  ["exit while computing", 3, null],
  ["throws", 1, null],
  ["ends", 0, null],
  ["killed", null, "SIGTERM"],
])("the process ends as it should while workers compute: %s", async (how, status, signal) => {
  const result = await child(script("ends-busy"), { args: [how], timeout: 20_000 });
  expect(result).toMatchObject({ status, signal });
});
