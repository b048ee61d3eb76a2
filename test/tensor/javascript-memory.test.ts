import { RandomGenerator, rand, randperm } from "nabla";
import { expect, test } from "vitest";
import { answer } from "../support/child.js";

const script = new URL("./scripts/javascript-memory.mjs", import.meta.url);

// `npm run test:nodes` runs these on every supported Node.
test.each([
  ["typed arrays that are held count", ["ERR_MEMORY", "ERR_MEMORY", 25 * 2 ** 20, true]],
  ["typed arrays that are dropped make room", true],
  ["nested arrays beyond the heap", ["ERR_MEMORY", "ERR_MEMORY", "ERR_MEMORY"]],
  ["nested arrays that fit, again and again", 4],
  ["lists of tensors beyond the heap", ["ERR_MEMORY", "ERR_MEMORY", "ERR_MEMORY", "ERR_MEMORY", "ERR_MEMORY", 50_000]],
  ["orders of many numbers", [true, "ERR_MEMORY", "ERR_ARGUMENT"]],
  ["numbers that are made here", ["ERR_MEMORY", "ERR_MEMORY", "ERR_MEMORY", "ERR_MEMORY", true]],
  ["a loader of very many samples", ["none", 2, "ERR_MEMORY", "ERR_MEMORY"]],
  ["a gzip bomb", ["ERR_MEMORY", "ERR_FORMAT", "ERR_FORMAT", "ERR_FORMAT", 50, true]],
])(
  "what JavaScript allocates obeys the limit: %s",
  async (name, expected) => {
    const options = { args: [name], env: { NABLA_MEMORY_LIMIT: "256m" }, flags: ["--max-old-space-size=160"] };
    expect(await answer(script, options)).toEqual(expected);
  },
  60_000,
);

test("an order that is drawn in pieces is that of all random numbers at once", () => {
  const n = 150_000; // more than two pieces
  const order = randperm(n, { generator: new RandomGenerator(7) }).toTypedArray();
  const picks = rand([n], { dtype: "float64", generator: new RandomGenerator(7) }).toTypedArray() as Float64Array;
  const expected = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(picks[i]! * (i + 1));
    [expected[i], expected[j]] = [expected[j]!, expected[i]!];
  }
  expect(order).toEqual(expected);
});
