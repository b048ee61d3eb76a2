// Every contender, in every language, makes the same operands from these few integer operations.

/** Mixes an index and a seed into 32 random-looking bits. */
export function hash(index, seed) {
  let x = Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(seed + 1, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** `n` float32 values, uniform on a grid of 2^24 steps in [low, high). */
export function uniform(n, seed, low = -1, high = 1) {
  const values = new Float32Array(n);
  for (let i = 0; i < n; i++) values[i] = low + (high - low) * ((hash(i, seed) >>> 8) / 2 ** 24);
  return values;
}

/** `n` class labels below `classes`. */
export function labels(n, classes, seed) {
  return Int32Array.from({ length: n }, (_, i) => hash(i, seed) % classes);
}

/** Operands of a matrix product, or of a batch of them, each stored as its transpose where the case says so. */
export function matmulInputs({ m, k, n, batch = 1 }) {
  return { a: uniform(batch * m * k, 1), b: uniform(batch * k * n, 2) };
}

/** Weights and biases of a perceptron, `[out, in]` as PyTorch keeps them, and one batch. */
export function networkInputs({ sizes, batch, task }) {
  const [inputs, outputs] = [sizes[0], sizes[sizes.length - 1]];
  const layers = sizes.slice(1).map((out, i) => {
    const bound = 1 / Math.sqrt(sizes[i]);
    return {
      in: sizes[i],
      out,
      weight: uniform(out * sizes[i], 10 + 2 * i, -bound, bound),
      bias: uniform(out, 11 + 2 * i, -bound, bound),
    };
  });
  const x = uniform(batch * inputs, 3, 0, 1);
  return { layers, x, y: task === "classes" ? labels(batch, outputs, 4) : uniform(batch * outputs, 4) };
}

/** Query, key, value and the gradient of the result of attention, [heads, length, size] each. */
export function attentionInputs({ heads, length, size }) {
  const [query, key, value, gradient] = [1, 2, 3, 4].map((seed) => uniform(heads * length * size, seed, -2, 2));
  return { query, key, value, gradient };
}

/** Indices of a text and the next ones, and the bound of each parameter's first values; 0 for one that stays as it is. */
export function gptInputs({ batch, block, vocabulary, width, layers }) {
  const size = batch * block;
  const linear = (inputs) => [1 / Math.sqrt(inputs), 1 / Math.sqrt(inputs)];
  const norm = [0, 0];
  const layer = [...norm, ...linear(width), ...linear(width), ...norm, ...linear(width), ...linear(4 * width)];
  const bounds = [0.1, 0.1, ...Array.from({ length: layers }, () => layer).flat(), ...norm, ...linear(width)];
  return { x: labels(size, vocabulary, 3), y: labels(size, vocabulary, 4), bounds };
}

/** Sixteen positions spread over `size` elements; contenders report their results there. */
export function probes(size) {
  return Array.from({ length: 16 }, (_, i) => Math.floor((i * (size - 1)) / 15));
}
