const MILLION = "1,000,000 eager steps, never yielding";
const HEAVY = "steps of 1 GB of activations, 400 MB of live objects";
const perceptron = { sizes: [2, 16, 1], batch: 32, task: "values", optimizer: "sgd", lr: 0.01 };

const trial = (name, spec) => ({
  title: name,
  metrics: [],
  entries: [{ case: name, contender: "nabla", threads: 2, spec }],
});
const row = (name, metric) => ({ case: name, metric, contender: /^nabla$/ });

/** Whether training holds its memory. --quick makes fewer steps and says so in the table; the case keeps its name. */
export const memory = {
  name: "memory",
  trials: ({ quick }) => [
    trial(MILLION, { ...perceptron, kind: "steadySteps", steps: quick ? 100_000 : 1_000_000, every: 20_000 }),
    trial(HEAVY, { kind: "activations", heap: 400, depth: 1024, size: 2 ** 18, steps: quick ? 5 : 20 }),
  ],
  note: ({ quick }) => (quick ? "quick: 100,000 steps in place of 1,000,000, and 5 in place of 20" : ""),
  bounds: [
    {
      text: "growth of resident memory over 1,000,000 steps",
      atMost: 64,
      ours: row(MILLION, "growth after the first 20000"),
    },
    {
      text: "peak memory above that of the live tensors, steps of 1 GB",
      atMost: 300,
      ours: row(HEAVY, "peak over the live set"),
    },
    { text: "major garbage collections after the first steps", atMost: 0, ours: row(HEAVY, "major collections") },
  ],
};
