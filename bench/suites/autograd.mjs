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

// Expected is what PyTorch finds in float64.
const block = "GPT block of 384, trainable, [8, 128, 384], by its input";
const inBlock = (graph) => `${block}: ${graph ? "with the graph of its weights" : "inside noGrad"}`;

const blockTrial = (threads) => ({
  title: block,
  tolerance: 1e-4,
  pace: { ...steady, warmSeconds: 1 },
  metrics: [{ metric: "time", unit: "ms", of: (seconds) => seconds * 1e3 }],
  entries: [false, true].map((graph) => ({
    case: inBlock(graph),
    contender: "nabla",
    threads,
    spec: { kind: "byInput", width: 384, heads: 6, length: 128, batch: 8, graph, expected: [195667.1883, -414.53499] },
  })),
});
const blockRow = (graph, threads) => ({ case: inBlock(graph), metric: "time", contender: /^nabla$/, threads });

/**
 * What a derivative costs beside the function itself: all parameters, along one direction and as a gradient. And what it
 * costs beside one that keeps no graph.
 */
export const autograd = {
  name: "autograd",
  trials: [1, 2].flatMap((threads) => [
    ...Object.keys(shapes).map((network) => ({
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
    blockTrial(threads),
  ]),
  bounds: [
    ...Object.keys(shapes).flatMap((network) =>
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
    ...[1, 2].map((threads) => ({
      text: `${inBlock(true)}, against noGrad, ${threads} thread${threads > 1 ? "s" : ""}`,
      atMostTimes: 1.15,
      detail: threads === 1,
      ours: blockRow(true, threads),
      theirs: blockRow(false, threads),
    })),
  ],
};
