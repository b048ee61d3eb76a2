import { conv2d } from "nabla";
import { workOf } from "../harness/work.mjs";

const resnet = [
  [3, 224, 64, 7, 2, 3],
  [64, 56, 64, 3, 1, 1],
  [64, 56, 128, 3, 2, 1],
  [64, 56, 128, 1, 2, 0],
  [128, 28, 128, 3, 1, 1],
  [128, 28, 256, 3, 2, 1],
  [128, 28, 256, 1, 2, 0],
  [256, 14, 256, 3, 1, 1],
  [256, 14, 512, 3, 2, 1],
  [256, 14, 512, 1, 2, 0],
  [512, 7, 512, 3, 1, 1],
].map(([channels, size, out, window, stride, padding]) => ({ n: 8, channels, size, out, window, stride, padding }));
const digits = [
  { n: 64, channels: 1, size: 28, out: 32, window: 3, stride: 1, padding: 0 },
  { n: 64, channels: 32, size: 26, out: 64, window: 3, stride: 1, padding: 0 },
];
const depthwise = [1, 2].map((stride) => ({
  ...{ n: 8, channels: 128, size: 56, out: 128, window: 3, stride, padding: 1, groups: 128 },
}));
const directions = ["forward", "input", "weight"];
const milliseconds = { metric: "time", unit: "ms", of: (seconds) => seconds * 1e3 };

const nameOf = ({ n, channels, size, out, window, stride, groups }) =>
  `${n}x${channels}x${size}x${size} to ${out}, ${window}x${window}${stride > 1 ? ` stride ${stride}` : ""}` +
  (groups ? ", depthwise" : "");

function convolution(shape, direction, threads) {
  const name = `${nameOf(shape)}, ${direction}`;
  const { stride, padding, groups = 1 } = shape;
  const images = [shape.n, shape.channels, shape.size, shape.size];
  const weights = [shape.out, shape.channels / groups, shape.window, shape.window];
  // A gradient by the input or by the weights takes as many.
  const { flops } = workOf([images, weights], (x, w) => conv2d(x, w, null, { stride, padding, groups }));
  return {
    title: name,
    tolerance: 2e-4,
    metrics: [milliseconds, { metric: "speed", unit: "GFLOP/s", of: (seconds) => flops / seconds / 1e9 }],
    entries: ["nabla", "pytorch"].map((contender) => ({
      case: name,
      contender,
      threads,
      spec: { kind: "convolution", ...shape, direction },
    })),
  };
}

const images = [8, 64, 56, 56];
const pools = [
  { op: "maxPool2d", shape: [64, 64, 24, 24], window: 2, stride: 2 },
  { op: "maxPool2d", shape: [8, 64, 112, 112], window: 3, stride: 2, padding: 1 },
  { op: "avgPool2d", shape: images, window: 2, stride: 2 },
  { op: "batchNorm", shape: images },
];
function pooling(pool, direction, threads) {
  const name = `${pool.op} ${pool.shape.join("x")}${pool.window ? `, ${pool.window}x${pool.window}` : ""}, ${direction}`;
  return {
    title: name,
    tolerance: 1e-4,
    metrics: [milliseconds],
    entries: ["nabla", "pytorch"].map((contender) => ({
      case: name,
      contender,
      threads,
      spec: { kind: "pooling", ...pool, direction },
    })),
  };
}

const counted = (threads) => `${threads} thread${threads > 1 ? "s" : ""}`;
/** Convolutions each way by itself: the layers of ResNet-18 and of a net for digits, and depthwise; pooling and batch norm. */
export const conv = {
  name: "conv",
  trials: [1, 2].flatMap((threads) => [
    ...[...resnet, ...digits, ...depthwise].flatMap((shape) =>
      directions.map((way) => convolution(shape, way, threads)),
    ),
    ...pools.flatMap((pool) => ["forward", "input"].map((way) => pooling(pool, way, threads))),
  ]),
  bounds: [1, 2].map((threads) => ({
    text: `layers of ResNet-18 and of the net for digits against PyTorch, ${counted(threads)}`,
    cases: [...resnet, ...digits].flatMap((shape) => directions.map((way) => `${nameOf(shape)}, ${way}`)),
    ours: { metric: "time", contender: /^nabla$/, threads },
    theirs: { metric: "time", contender: /^pytorch/, threads },
    mean: 1,
    worst: 0.8,
  })),
};
