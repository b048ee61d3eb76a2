import { expect, test } from "vitest";
import { answer } from "../support/child.js";

const script = new URL("./scripts/limit.mjs", import.meta.url);
const limit = 256 * 2 ** 20;

interface Run {
  readonly peak: number;
  readonly majors: number;
}

// `npm run test:nodes` runs these on every supported Node.
test.each([
  { name: "dropped", peak: 0.7, majors: 2 },
  { name: "replaced", peak: 0.7, majors: 12 },
  { name: "beside what is held", peak: 0.9, majors: 4 },
  { name: "after an old tensor", peak: 0.9, majors: 4 },
  { name: "recorded, after an old tensor", peak: 0.9, majors: 4 },
  { name: "a window of old tensors", peak: 0.9, majors: 20 },
  { name: "other sizes each time", peak: 0.7, majors: 8 },
  { name: "many small ones", peak: 0.9, majors: 12 },
  { name: "from typed arrays", peak: 0.7, majors: 12 },
  { name: "training", peak: 0.9, majors: 6 },
  { name: "per-sample gradients", peak: 0.7, majors: 6 },
  { name: "with pauses", peak: 0.7, majors: 12 },
  { name: "in a worker", peak: 0.5, majors: 4 },
  { name: "more than there is", peak: 0.7, majors: 6 },
])(
  "a working set near the limit, never past it: $name",
  async ({ name, peak, majors }) => {
    const run = await answer<Run>(script, { args: [name], env: { NABLA_MEMORY_LIMIT: "256m" } });
    expect(run.peak).toBeGreaterThan(peak * limit);
    expect(run.peak).toBeLessThanOrEqual(limit);
    expect(run.majors, "major collections").toBeLessThanOrEqual(majors);
  },
  60_000,
);
