import { steady } from "../harness/measure.mjs";

const batch = 1024;
const network = { sizes: [784, 512, 256, 10], batch, task: "classes", optimizer: "adamw", lr: 1e-3, check: "training" };
const jobs = {
  "1 worker": { threads: 1, spec: { ...network, kind: "parallel", workers: 1 } },
  "2 workers": { threads: 2, spec: { ...network, kind: "parallel", workers: 2 } },
  "in process, 2 pool threads": { threads: 2, spec: { ...network, kind: "parallel", workers: 0 } },
  "plain step, 2 pool threads": { threads: 2, spec: { ...network, kind: "training" } },
};
const row = (name, metric = "time") => ({ case: name, metric, contender: /^nabla$/ });

/** DataParallel on the perceptron 784-512-256-10 at batch 1024, against the same job without workers. */
export const parallel = {
  name: "parallel",
  trials: [
    {
      title: "784-512-256-10, batch 1024, 8 shards",
      tolerance: 1e-4,
      pace: steady,
      metrics: [
        { metric: "time", unit: "ms/step", of: (seconds) => seconds * 1e3 },
        { metric: "rate", unit: "samples/s", of: (seconds) => batch / seconds },
      ],
      entries: Object.entries(jobs).map(([name, { threads, spec }]) => ({
        case: name,
        contender: "nabla",
        threads,
        spec,
      })),
    },
  ],
  bounds: [
    { text: "2 DataParallel workers against 1", atLeast: 1.6, ours: row("2 workers"), theirs: row("1 worker") },
    {
      text: "2 DataParallel workers against no worker and 2 threads",
      atLeast: 0.9,
      ours: row("2 workers"),
      theirs: row("in process, 2 pool threads"),
    },
    {
      text: "99th percentile of the event loop's delay with 2 workers",
      atMost: 20,
      ours: row("2 workers", "event-loop delay p99"),
    },
  ],
};
