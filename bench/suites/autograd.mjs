import { steady } from "../harness/measure.mjs";

const shapes = { mlp: "MLP 784-512-256-10, batch 128", "conv net": "conv net 32-64, batch 64" };
const batches = { mlp: 128, "conv net": 64 };
const modes = { function: "the function", forward: "forward mode", reverse: "reverse mode" };
const most = { forward: 3.5, reverse: 4 };

const title = (network, mode) => `${shapes[network]}: ${modes[mode]}`;
const row = (network, mode, threads) => ({
  case: title(network, mode),
  metric: "time",
  contender: /^nabla$/,
  threads,
});

/** What a derivative costs beside the function itself: all parameters, along one direction and as a gradient. */
export const autograd = {
  name: "autograd",
  trials: [1, 2].flatMap((threads) =>
    Object.keys(shapes).map((network) => ({
      title: shapes[network],
      tolerance: 1e-3,
      pace: { ...steady, warmSeconds: 1 },
      metrics: [{ metric: "time", unit: "ms", of: (seconds) => seconds * 1e3 }],
      entries: Object.keys(modes).flatMap((mode) =>
        ["nabla", "pytorch"].map((contender) => ({
          case: title(network, mode),
          contender,
          threads,
          spec: { kind: "derivative", network, batch: batches[network], mode },
        })),
      ),
    })),
  ),
  bounds: Object.keys(shapes).flatMap((network) =>
    Object.keys(most).flatMap((mode) =>
      [1, 2].map((threads) => ({
        text: `${title(network, mode)}, against the function, ${threads} thread${threads > 1 ? "s" : ""}`,
        atMostTimes: most[mode],
        detail: threads === 1,
        ours: row(network, mode, threads),
        theirs: row(network, "function", threads),
      })),
    ),
  ),
};
