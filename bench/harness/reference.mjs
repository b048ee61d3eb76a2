// What every contender must have computed, in float64 and the plainest code: checked before anything is timed.
import { convolution, imageTraining, pooling } from "./images.mjs";
import { matmulInputs, networkInputs, probes, uniform } from "./inputs.mjs";
import { derivative } from "./networks.mjs";
import { kinds as layers } from "./reference-layers.mjs";

/** Elementwise functions and sum, by case name. */
export const functions = {
  copy: (a) => a,
  add: (a, b) => a + b,
  mul: (a, b) => a * b,
  exp: Math.exp,
  tanh: Math.tanh,
  sigmoid: (a) => 1 / (1 + Math.exp(-a)),
  relu: (a) => Math.max(a, 0),
  gelu: (a) => (a * (1 + erf(a / Math.SQRT2))) / 2,
};

/** By its Maclaurin series: good for the small arguments of the cases. */
function erf(x) {
  let [term, sum] = [x, x];
  for (let n = 1; n < 40; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

function matmul(spec) {
  const { m, k, n, transA, transB, batch = 1 } = spec;
  const { a, b } = matmulInputs(spec);
  return probes(batch * m * n).map((p) => {
    const [item, row, column] = [Math.floor(p / (m * n)), Math.floor(p / n) % m, p % n];
    const [left, right] = [item * m * k, item * k * n];
    let sum = 0;
    for (let i = 0; i < k; i++)
      sum += a[left + (transA ? i * m + row : row * k + i)] * b[right + (transB ? column * k + i : i * n + column)];
    return sum;
  });
}

function elementwise({ op, size }) {
  const [a, b] = [uniform(size, 1), uniform(size, 2)];
  return probes(size).map((p) => functions[op](a[p], b[p]));
}

function reduce({ op, size, dim = null }) {
  const x = uniform(size, 1);
  if (op !== "sum") {
    const sorted = x.slice().sort();
    return op === "topk" ? probes(100).map((p) => sorted[size - 1 - p]) : probes(size).map((p) => sorted[p]);
  }
  if (dim === null) return [x.reduce((sum, value) => sum + value, 0)];
  const side = Math.sqrt(size);
  const [along, across] = dim === 0 ? [side, 1] : [1, side];
  return probes(side).map((p) => {
    let sum = 0;
    for (let i = 0; i < side; i++) sum += x[p * across + i * along];
    return sum;
  });
}

/** Three steps of AdamW on gradients that stay what they are. */
function optimizer({ tensors, size }) {
  const [lr, decay] = [1e-3, 0.01];
  return Array.from({ length: tensors }, (_, t) => [uniform(size, 10 + 2 * t), uniform(size, 11 + 2 * t)]).flatMap(
    ([values, gradients]) =>
      probes(size).map((at) => {
        let [p, m, v] = [values[at], 0, 0];
        const g = gradients[at];
        for (let i = 1; i <= 3; i++) {
          p -= lr * decay * p;
          m = 0.9 * m + 0.1 * g;
          v = 0.999 * v + 0.001 * g * g;
          p -= (lr * (m / (1 - 0.9 ** i))) / (Math.sqrt(v / (1 - 0.999 ** i)) + 1e-8);
        }
        return p;
      }),
  );
}

function product() {
  const [a, b] = [uniform(4, 1), uniform(4, 2)];
  return Array.from(a, (value, i) => value * b[i]);
}

function productGradient() {
  return [...uniform(4, 2), ...uniform(4, 1)];
}

/** The first three losses of a perceptron trained by AdamW, Adam or SGD. */
function training(spec) {
  const { batch, task, optimizer, lr } = spec;
  const { layers, x, y } = networkInputs(spec);
  const parameters = layers.flatMap((layer) => [Float64Array.from(layer.weight), Float64Array.from(layer.bias)]);
  const moments = parameters.map((p) => ({ m: new Float64Array(p.length), v: new Float64Array(p.length) }));
  const last = layers.length - 1;
  const losses = [];
  for (let step = 1; step <= 3; step++) {
    const acts = [Float64Array.from(x)];
    for (let l = 0; l <= last; l++) acts.push(forward(layers[l], l, acts[l]));
    const { loss, delta } = lossOf(acts[last + 1]);
    losses.push(loss);
    let upstream = delta;
    const grads = [];
    for (let l = last; l >= 0; l--) {
      if (l < last) for (let i = 0; i < upstream.length; i++) upstream[i] *= slope(acts[l + 1][i]);
      const [input, g] = backward(layers[l], l, acts[l], upstream);
      grads.unshift(...g);
      upstream = input;
    }
    for (let i = 0; i < parameters.length; i++) update(parameters[i], grads[i], moments[i], step);
  }
  return losses;

  function forward(layer, l, input) {
    const [w, b] = [parameters[2 * l], parameters[2 * l + 1]];
    const out = new Float64Array(batch * layer.out);
    for (let r = 0; r < batch; r++)
      for (let o = 0; o < layer.out; o++) {
        let sum = b[o];
        for (let i = 0; i < layer.in; i++) sum += input[r * layer.in + i] * w[o * layer.in + i];
        out[r * layer.out + o] = l === last ? sum : activate(sum);
      }
    return out;
  }
  function backward(layer, l, input, g) {
    const w = parameters[2 * l];
    const [dx, dw, db] = [new Float64Array(batch * layer.in), new Float64Array(w.length), new Float64Array(layer.out)];
    for (let r = 0; r < batch; r++)
      for (let o = 0; o < layer.out; o++) {
        const value = g[r * layer.out + o];
        db[o] += value;
        for (let i = 0; i < layer.in; i++) {
          dw[o * layer.in + i] += value * input[r * layer.in + i];
          dx[r * layer.in + i] += value * w[o * layer.in + i];
        }
      }
    return [dx, [dw, db]];
  }
  function activate(value) {
    return task === "classes" ? Math.max(value, 0) : Math.tanh(value);
  }
  function slope(output) {
    return task === "classes" ? Number(output > 0) : 1 - output * output;
  }
  function lossOf(out) {
    const delta = new Float64Array(out.length);
    let loss = 0;
    if (task === "values") {
      out.forEach((value, i) => {
        loss += (value - y[i]) ** 2 / out.length;
        delta[i] = (2 * (value - y[i])) / out.length;
      });
      return { loss, delta };
    }
    const classes = out.length / batch;
    for (let r = 0; r < batch; r++) {
      const row = out.subarray(r * classes, (r + 1) * classes);
      const exps = row.map((value) => Math.exp(value - Math.max(...row)));
      const total = exps.reduce((sum, value) => sum + value, 0);
      loss -= Math.log(exps[y[r]] / total) / batch;
      exps.forEach((value, c) => {
        delta[r * classes + c] = (value / total - Number(c === y[r])) / batch;
      });
    }
    return { loss, delta };
  }
  function update(p, g, { m, v }, step) {
    for (let i = 0; i < p.length; i++) {
      if (optimizer === "sgd") {
        p[i] -= lr * g[i];
        continue;
      }
      if (optimizer === "adamw") p[i] -= lr * 0.01 * p[i];
      m[i] = 0.9 * m[i] + 0.1 * g[i];
      v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
      p[i] -= (lr * (m[i] / (1 - 0.9 ** step))) / (Math.sqrt(v[i] / (1 - 0.999 ** step)) + 1e-8);
    }
  }
}

const kinds = {
  matmul,
  elementwise,
  product,
  productGradient,
  training,
  derivative,
  byInput: ({ expected }) => expected,
  reduce,
  optimizer,
  convolution,
  pooling,
  imageTraining,
  ...layers,
};
const known = new Map();

/** The expected report of a case, or null where the case has none. */
export function reference(spec) {
  const compute = kinds[spec.check ?? spec.kind];
  if (!compute) return null;
  const key = JSON.stringify(spec);
  if (!known.has(key)) known.set(key, compute(spec));
  return known.get(key);
}

/** Says where two reports differ, or null where they agree. */
export function disagreement(found, expected, tolerance) {
  if (!Array.isArray(found) || found.length !== expected.length)
    return `expected ${expected.length} values, got ${JSON.stringify(found)}`;
  const worst = expected.findIndex((value, i) => !(Math.abs(found[i] - value) <= tolerance * (1 + Math.abs(value))));
  return worst < 0 ? null : `value ${worst}: expected ${expected[worst]}, got ${found[worst]}`;
}
