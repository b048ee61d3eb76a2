// The networks whose derivatives are timed: layers as data, so that every contender builds the same, with the same weights.
import { labels, uniform } from "./inputs.mjs";

export const networks = {
  mlp: { input: [784], layers: [["linear", 784, 512], ["relu"], ["linear", 512, 256], ["relu"], ["linear", 256, 10]] },
  "conv net": {
    input: [1, 28, 28],
    layers: [
      ["conv", 1, 32],
      ["relu"],
      ["conv", 32, 64],
      ["relu"],
      ["pool"],
      ["flatten"],
      ["linear", 9216, 128],
      ["relu"],
      ["linear", 128, 10],
    ],
  },
};

const kernel = 3;

/** Weight and bias of each layer that has them, and a direction beside each: { shape, value, direction }. */
export function parametersOf({ layers }) {
  const sized = layers.filter(([kind]) => kind === "linear" || kind === "conv");
  return sized.flatMap(([kind, from, to], i) => {
    const window = kind === "conv" ? [kernel, kernel] : [];
    const bound = 1 / Math.sqrt(from * (kind === "conv" ? kernel * kernel : 1));
    return [[to, from, ...window], [to]].map((shape, j) => {
      const size = shape.reduce((a, b) => a * b);
      const [seed, other] = [10 + 2 * i + j, 40 + 2 * i + j];
      return { shape, value: uniform(size, seed, -bound, bound), direction: uniform(size, other, -bound, bound) };
    });
  });
}

/** One batch: `x` of shape [batch, ...input] and its classes. */
export function batchOf({ input }, batch) {
  return { x: uniform(batch * input.reduce((a, b) => a * b), 3, 0, 1), y: labels(batch, 10, 4) };
}

// In float64 and the plainest code: activations are one array per sample.
const steps = {
  relu: (x) => x.map((v) => Math.max(v, 0)),
  flatten: (x) => x,
  linear(x, [, from, to], [weight, bias]) {
    const y = Float64Array.from(bias);
    for (let o = 0; o < to; o++) for (let i = 0; i < from; i++) y[o] += weight[o * from + i] * x[i];
    return y;
  },
  conv(x, [, from, to], [weight, bias]) {
    const side = Math.sqrt(x.length / from);
    const out = side - kernel + 1;
    const y = new Float64Array(to * out * out);
    for (let o = 0; o < to; o++) {
      const plane = y.subarray(o * out * out, (o + 1) * out * out).fill(bias[o]);
      for (let c = 0; c < from; c++)
        for (let k = 0; k < kernel * kernel; k++) {
          const w = weight[(o * from + c) * kernel * kernel + k];
          const start = c * side * side + Math.floor(k / kernel) * side + (k % kernel);
          for (let r = 0; r < out; r++) for (let q = 0; q < out; q++) plane[r * out + q] += w * x[start + r * side + q];
        }
    }
    return y;
  },
  pool(x, _layer, _parameters, channels) {
    const side = Math.sqrt(x.length / channels);
    const half = side / 2;
    const y = new Float64Array(channels * half * half);
    for (let i = 0; i < y.length; i++) {
      const [c, r, q] = [Math.floor(i / (half * half)), Math.floor(i / half) % half, i % half];
      const at = c * side * side + 2 * r * side + 2 * q;
      y[i] = Math.max(x[at], x[at + 1], x[at + side], x[at + side + 1]);
    }
    return y;
  },
};

function lossAt({ layers }, parameters, { x, y }) {
  const size = x.length / y.length;
  let total = 0;
  for (let n = 0; n < y.length; n++) {
    let act = Float64Array.from(x.subarray(n * size, (n + 1) * size));
    let next = 0;
    let channels = 1;
    for (const layer of layers) {
      const has = layer.length > 1;
      act = steps[layer[0]](act, layer, has ? parameters.slice(next, next + 2) : [], channels);
      if (has) [next, channels] = [next + 2, layer[2]];
    }
    const top = Math.max(...act);
    total += top + Math.log(act.reduce((sum, v) => sum + Math.exp(v - top), 0)) - act[y[n]];
  }
  return total / y.length;
}

/** The loss, and its derivative along the directions, by central differences of the plain code. */
export function derivative({ network, batch, mode }) {
  const net = networks[network];
  const parameters = parametersOf(net);
  const data = batchOf(net, batch);
  const at = (h) => {
    const moved = parameters.map(({ value, direction }) => Float64Array.from(value, (v, i) => v + h * direction[i]));
    return lossAt(net, moved, data);
  };
  const h = 1e-6;
  return mode === "function" ? [at(0)] : [at(0), (at(h) - at(-h)) / (2 * h)];
}
