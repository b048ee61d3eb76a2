// Convolutions and pooling: their operands, and what they must give, in float64 and the plainest code.
import { probes, uniform } from "./inputs.mjs";

const product = (shape) => shape.reduce((a, b) => a * b, 1);

/** Sizes of a convolution of square images and windows. */
function sizes({ n, channels, size, out, window, stride, padding, groups = 1 }) {
  const places = Math.floor((size + 2 * padding - window) / stride) + 1;
  return {
    places,
    shapes: {
      x: [n, channels, size, size],
      weight: [out, channels / groups, window, window],
      y: [n, out, places, places],
    },
  };
}

/** Image and weight of a convolution; where a gradient is asked for, it is along uniform(.., 3). */
export function convolutionInputs(spec) {
  const { shapes } = sizes(spec);
  return { shapes, x: uniform(product(shapes.x), 1), weight: uniform(product(shapes.weight), 2) };
}

/** The indices of element `at` of a tensor. */
function unravel(at, shape) {
  const index = [];
  for (let d = shape.length - 1, rest = at; d >= 0; rest = Math.floor(rest / shape[d--]))
    index.unshift(rest % shape[d]);
  return index;
}

/** f(value of x, of the weight, of g) summed over all products that meet in one element of `of`. */
export function convolution(spec) {
  const { window, stride, padding, groups = 1, direction, n, channels, size, out } = spec;
  const { shapes, places } = sizes(spec);
  const { x, weight } = convolutionInputs(spec);
  const g = uniform(product(shapes.y), 3);
  const [inputs, outputs] = [channels / groups, out / groups];
  const at = (shape, [a, b, c, d]) => ((a * shape[1] + b) * shape[2] + c) * shape[3] + d;
  const range = (count) => Array.from({ length: count }, (_, i) => i);
  const inside = (p) => p >= 0 && p < size;
  const forward = ([image, o, row, col]) => {
    let sum = 0;
    const first = Math.floor(o / outputs) * inputs;
    for (let c = 0; c < inputs; c++)
      for (let i = 0; i < window; i++)
        for (let j = 0; j < window; j++) {
          const [v, h] = [row * stride + i - padding, col * stride + j - padding];
          if (inside(v) && inside(h))
            sum += x[at(shapes.x, [image, first + c, v, h])] * weight[at(shapes.weight, [o, c, i, j])];
        }
    return sum;
  };
  const byInput = ([image, c, v, h]) => {
    let sum = 0;
    const first = Math.floor(c / inputs) * outputs;
    for (let o = first; o < first + outputs; o++)
      for (let i = 0; i < window; i++)
        for (let j = 0; j < window; j++) {
          const [row, col] = [(v + padding - i) / stride, (h + padding - j) / stride];
          if (range(places).includes(row) && range(places).includes(col))
            sum += weight[at(shapes.weight, [o, c % inputs, i, j])] * g[at(shapes.y, [image, o, row, col])];
        }
    return sum;
  };
  const byWeight = ([o, c, i, j]) => {
    let sum = 0;
    const channel = Math.floor(o / outputs) * inputs + c;
    for (let image = 0; image < n; image++)
      for (let row = 0; row < places; row++)
        for (let col = 0; col < places; col++) {
          const [v, h] = [row * stride + i - padding, col * stride + j - padding];
          if (inside(v) && inside(h))
            sum += x[at(shapes.x, [image, channel, v, h])] * g[at(shapes.y, [image, o, row, col])];
        }
    return sum;
  };
  const [of, shape] = { forward: [forward, shapes.y], input: [byInput, shapes.x], weight: [byWeight, shapes.weight] }[
    direction
  ];
  return probes(product(shape)).map((p) => of(unravel(p, shape)));
}

/** Largest elements, means, and channels brought to mean 0 and variance 1; gradients along uniform(.., 3). */
export function pooling({ op, shape, window, stride, padding = 0, direction }) {
  const x = Float64Array.from(uniform(product(shape), 1));
  const [n, channels, size] = shape;
  if (op === "batchNorm") return normalised(x, n, channels, size * size, direction);
  const places = Math.floor((size + 2 * padding - window) / stride) + 1;
  const y = new Float64Array(n * channels * places * places);
  const dx = new Float64Array(x.length);
  const g = uniform(y.length, 3);
  for (let p = 0; p < y.length; p++) {
    const [plane, row, col] = unravel(p, [n * channels, places, places]);
    const seen = [];
    for (let i = 0; i < window; i++)
      for (let j = 0; j < window; j++) {
        const [v, h] = [row * stride + i - padding, col * stride + j - padding];
        if (v >= 0 && v < size && h >= 0 && h < size) seen.push((plane * size + v) * size + h);
      }
    if (op === "avgPool2d") {
      for (const k of seen) {
        y[p] += x[k] / window ** 2;
        dx[k] += g[p] / window ** 2;
      }
    } else {
      const best = seen.reduce((a, b) => (x[b] > x[a] ? b : a));
      y[p] = x[best];
      dx[best] += g[p];
    }
  }
  const result = direction === "forward" ? y : dx;
  return probes(result.length).map((p) => result[p]);
}

function normalised(x, n, channels, plane, direction) {
  const g = uniform(x.length, 3);
  const result = new Float64Array(x.length);
  const count = n * plane;
  for (let c = 0; c < channels; c++) {
    const each = (f) => {
      let sum = 0;
      for (let i = 0; i < n; i++) for (let k = (i * channels + c) * plane, end = k + plane; k < end; k++) sum += f(k);
      return sum / count;
    };
    const mean = each((k) => x[k]);
    const scale = 1 / Math.sqrt(each((k) => (x[k] - mean) ** 2) + 1e-5);
    const y = (k) => (x[k] - mean) * scale;
    const [along, level] = [each((k) => g[k] * y(k)), each((k) => g[k])];
    each((k) => {
      result[k] = direction === "forward" ? y(k) : (g[k] - level - y(k) * along) * scale;
      return 0;
    });
  }
  return probes(result.length).map((p) => result[p]);
}

/** The first three losses of the conv net under AdamW at batch 64, from `python bench/rivals/torch_conv.py`, in float64. */
export const imageTraining = () => [2.289629565053255, 2.2764956193820645, 2.1676087922120773];
