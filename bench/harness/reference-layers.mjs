// What the layers of a transformer must give, in float64, where contenders report it.
import { attentionInputs, labels, probes, uniform } from "./inputs.mjs";

const dot = (a, i, b, j, n) => {
  let sum = 0;
  for (let k = 0; k < n; k++) sum += a[i + k] * b[j + k];
  return sum;
};

/** Attention of all heads: the result and, asked for, the gradients, all where contenders report them. */
function attention(spec) {
  const { heads, length, size, causal, backward } = spec;
  const { query, key, value, gradient } = attentionInputs(spec);
  const scale = 1 / Math.sqrt(size);
  const places = probes(heads * length * size);
  const wanted = new Set(places.map((p) => Math.floor(p / (length * size))));
  const [out, byQuery, byKey, byValue] = Array.from({ length: 4 }, () => new Float64Array(heads * length * size));
  for (const head of wanted) {
    const at = (i) => (head * length + i) * size;
    for (let i = 0; i < length; i++) {
      const seen = causal ? i + 1 : length;
      const scores = Float64Array.from({ length: seen }, (_, j) => scale * dot(query, at(i), key, at(j), size));
      const top = scores.reduce((a, b) => Math.max(a, b));
      const parts = scores.map((s) => Math.exp(s - top));
      const total = parts.reduce((a, b) => a + b);
      for (let j = 0; j < seen; j++) {
        const weight = parts[j] / total;
        for (let d = 0; d < size; d++) out[at(i) + d] += weight * value[at(j) + d];
      }
      if (!backward) continue;
      const delta = dot(gradient, at(i), out, at(i), size);
      for (let j = 0; j < seen; j++) {
        const weight = parts[j] / total;
        const slope = scale * weight * (dot(gradient, at(i), value, at(j), size) - delta);
        for (let d = 0; d < size; d++) {
          byQuery[at(i) + d] += slope * key[at(j) + d];
          byKey[at(j) + d] += slope * query[at(i) + d];
          byValue[at(j) + d] += weight * gradient[at(i) + d];
        }
      }
    }
  }
  return (backward ? [out, byQuery, byKey, byValue] : [out]).flatMap((all) => places.map((p) => all[p]));
}

/** A row of softmax and what its gradient makes of g. */
function softmaxRow(x, g) {
  const top = x.reduce((a, b) => Math.max(a, b));
  const parts = x.map((v) => Math.exp(v - top));
  const total = parts.reduce((a, b) => a + b);
  const y = parts.map((v) => v / total);
  const along = dot(g, 0, y, 0, y.length);
  return [y, y.map((v, i) => v * (g[i] - along))];
}

function layerNormRow(x, g, weight, bias) {
  const n = x.length;
  const mean = x.reduce((a, b) => a + b) / n;
  const rstd = 1 / Math.sqrt(x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / n + 1e-5);
  const standard = x.map((v) => (v - mean) * rstd);
  const slope = g.map((v, i) => v * weight[i]);
  const level = slope.reduce((a, b) => a + b) / n;
  const along = dot(slope, 0, standard, 0, n) / n;
  return [
    standard.map((v, i) => v * weight[i] + bias[i]),
    standard.map((v, i) => rstd * (slope[i] - level - v * along)),
    standard,
  ];
}

/** Channels of [n, channels, ..] are rows to be normalized; by running values there is no gradient. */
function batchNorm({ shape, training, backward }) {
  const [images, channels] = shape;
  const total = shape.reduce((a, b) => a * b);
  const size = total / images / channels;
  const [x, weight, bias, g] = [uniform(total, 1), uniform(channels, 2), uniform(channels, 3), uniform(total, 8)];
  const [mean, variance] = [uniform(channels, 11), uniform(channels, 12, 0.5, 1.5)];
  const places = probes(total);
  const channelAt = (p) => Math.floor(p / size) % channels;
  if (!training)
    return places.map((p) => {
      const c = channelAt(p);
      return ((x[p] - mean[c]) / Math.sqrt(variance[c] + 1e-5)) * weight[c] + bias[c];
    });
  const step = channels * size;
  const of = (all, c) =>
    Float64Array.from({ length: images * size }, (_, i) => all[Math.floor(i / size) * step + c * size + (i % size)]);
  const all = (v) => new Float64Array(images * size).fill(v);
  const done = new Map();
  const channel = (c) => {
    if (!done.has(c)) done.set(c, layerNormRow(of(x, c), of(g, c), all(weight[c]), all(bias[c])));
    return done.get(c);
  };
  const at = (k) => places.map((p) => channel(channelAt(p))[k][Math.floor(p / step) * size + (p % size)]);
  if (!backward) return at(0);
  const byWeight = (c) => dot(of(g, c), 0, channel(c)[2], 0, images * size);
  const byBias = (c) => of(g, c).reduce((a, b) => a + b);
  return [...at(0), ...at(1), ...[byWeight, byBias].flatMap((f) => probes(channels).map(f))];
}

function rowwise(spec) {
  const { op, rows, size, backward } = spec;
  if (op === "batchNorm") return batchNorm(spec);
  const x = uniform(rows * size, 1);
  const row = (all, r) => Float64Array.from(all.subarray(r * size, (r + 1) * size));
  const places = probes(rows * size);
  const at = (f) => places.map((p) => f(Math.floor(p / size), p % size));
  if (op === "softmax") {
    const g = uniform(rows * size, 8);
    const both = (r) => softmaxRow(row(x, r), row(g, r));
    return [0, 1].slice(0, backward ? 2 : 1).flatMap((k) => at((r, c) => both(r)[k][c]));
  }
  if (op === "layerNorm") {
    const [weight, bias, g] = [uniform(size, 2), uniform(size, 3), uniform(rows * size, 8)];
    const both = (r) => layerNormRow(row(x, r), row(g, r), weight, bias);
    const values = at((r, c) => both(r)[0][c]);
    if (!backward) return values;
    const [byWeight, byBias] = [new Float64Array(size), new Float64Array(size)];
    for (let r = 0; r < rows; r++) {
      const standard = both(r)[2];
      for (let c = 0; c < size; c++) {
        byWeight[c] += g[r * size + c] * standard[c];
        byBias[c] += g[r * size + c];
      }
    }
    const places = probes(size);
    return [...values, ...at((r, c) => both(r)[1][c]), ...[byWeight, byBias].flatMap((v) => places.map((p) => v[p]))];
  }
  if (op === "crossEntropy") {
    const target = labels(rows, size, 9);
    const totals = Float64Array.from({ length: rows }, (_, r) =>
      Math.log(row(x, r).reduce((sum, v) => sum + Math.exp(v), 0)),
    );
    const loss = totals.reduce((sum, total, r) => sum + total - x[r * size + target[r]], 0) / rows;
    const slope = (r, c) => (Math.exp(x[r * size + c] - totals[r]) - Number(c === target[r])) / rows;
    return [...probes(1).map(() => loss), ...(backward ? at(slope) : [])];
  }
  const index = labels(spec.count, rows, 9);
  const g = uniform(spec.count * size, 8);
  const looked = probes(spec.count * size).map((p) => x[index[Math.floor(p / size)] * size + (p % size)]);
  const sum = (r, c) => index.reduce((all, i, k) => (i === r ? all + g[k * size + c] : all), 0);
  return [...looked, ...(backward ? at(sum) : [])];
}

/** The losses that PyTorch finds in float64: `python torch_train_gpt.py`. */
const gpt = ({ losses }) => losses;

export const kinds = { attention, rowwise, gpt };
