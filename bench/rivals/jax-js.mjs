// jax-js in Node: its wasm backend, one thread (its worker pool needs the browser's Worker). Whatever repeats is jitted.
import { readFileSync } from "node:fs";
import { blockUntilReady, init, jit, nn, numpy as np, valueAndGrad, vjp } from "@jax-js/jax";
import { matmulInputs, networkInputs, uniform } from "../harness/inputs.mjs";
import { probe, repeatAsync } from "../harness/steps.mjs";

await init("wasm");

const manifest = new URL("node_modules/@jax-js/jax/package.json", import.meta.url);
export const version = () => `${JSON.parse(readFileSync(manifest, "utf8")).version} wasm`;

/** Runs a function returning arrays until they are computed, then frees them. */
const settle = (f) => async () => {
  const out = [f()].flat();
  await blockUntilReady(out);
  for (const array of out) array.dispose();
};

async function matmul(spec) {
  const { m, k, n, transA, transB } = spec;
  const inputs = matmulInputs(spec);
  const a = np.array(inputs.a).reshape(transA ? [k, m] : [m, k]);
  const b = np.array(inputs.b).reshape(transB ? [n, k] : [k, n]);
  const multiply = jit((x, y) => np.matmul(transA ? x.transpose() : x, transB ? y.transpose() : y));
  const step = () => multiply(a.ref, b.ref);
  return { value: probe(await step().data()), run: repeatAsync(settle(step)) };
}

async function elementwise({ op, size }) {
  const [a, b] = [np.array(uniform(size, 1)), np.array(uniform(size, 2))];
  const f = {
    add: jit(np.add),
    mul: jit(np.multiply),
    exp: jit(np.exp),
    tanh: jit((x) => np.tanh(x)),
    sigmoid: jit((x) => nn.sigmoid(x)),
    relu: jit((x) => nn.relu(x)),
    gelu: jit((x) => nn.gelu(x, { approximate: false })),
  }[op];
  const step = op === "add" || op === "mul" ? () => f(a.ref, b.ref) : () => f(a.ref);
  const data = await step().data();
  return { value: probe(data), run: repeatAsync(settle(step)) };
}

async function forward() {
  const [a, b] = [np.array(uniform(4, 1)), np.array(uniform(4, 2))];
  const multiply = jit(np.multiply);
  const step = () => multiply(a.ref, b.ref);
  return { value: [...(await step().data())], run: repeatAsync(settle(step)) };
}

async function bothWays({ through }) {
  const [a, b] = [np.array(uniform(4, 1)), np.array(uniform(4, 2))];
  const pull = jit((x, y) => {
    if (through === "sum") return valueAndGrad((p, q) => p.mul(q).sum(), { argnums: [0, 1] })(x, y).flat();
    const [out, back] = vjp((p, q) => p.mul(q), [x, y]);
    return [out, ...back(np.ones([4]))];
  });
  const step = () => pull(a.ref, b.ref);
  const [, ...gradients] = await Promise.all(step().map((g) => g.data()));
  return { value: gradients.flatMap((g) => [...g]), run: repeatAsync(settle(step)) };
}

async function training(spec) {
  const { sizes, batch, task, optimizer, lr } = spec;
  const { layers, x, y } = networkInputs(spec);
  const outputs = sizes[sizes.length - 1];
  const input = np.array(x).reshape([batch, sizes[0]]);
  const target =
    task === "classes" ? nn.oneHot(np.array(y, { dtype: np.int32 }), outputs) : np.array(y).reshape([batch, outputs]);
  const initial = () => layers.flatMap((l) => [np.array(l.weight).reshape([l.out, l.in]), np.array(l.bias)]);

  const loss = (parameters, xs, ys) => {
    let h = xs;
    for (let i = 0; i < layers.length; i++) {
      const z = np.matmul(h, parameters[2 * i].transpose()).add(parameters[2 * i + 1]);
      h = i === layers.length - 1 ? z : task === "classes" ? nn.relu(z) : np.tanh(z);
    }
    if (task === "classes")
      return nn
        .logSoftmax(h)
        .mul(ys)
        .sum()
        .mul(-1 / batch);
    return np.square(h.sub(ys)).mean();
  };
  const sgd = jit((parameters, xs, ys) => {
    const [value, grads] = valueAndGrad(loss)(
      parameters.map((p) => p.ref),
      xs,
      ys,
    );
    return [value, parameters.map((p, i) => p.sub(grads[i].mul(lr)))];
  });
  // The bias corrections change with every step and enter as arrays, so that the trace is made once.
  const adamw = jit((parameters, ms, vs, c1, c2, xs, ys) => {
    const [value, grads] = valueAndGrad(loss)(
      parameters.map((p) => p.ref),
      xs,
      ys,
    );
    const nextM = ms.map((m, i) => m.mul(0.9).add(grads[i].ref.mul(0.1)));
    const nextV = vs.map((v, i) => v.mul(0.999).add(np.square(grads[i]).mul(0.001)));
    const next = parameters.map((p, i) => {
      const move = nextM[i].ref.div(c1.ref).div(np.sqrt(nextV[i].ref.div(c2.ref)).add(1e-8));
      return p.mul(1 - lr * 0.01).sub(move.mul(lr));
    });
    c1.dispose();
    c2.dispose();
    return [value, next, nextM, nextV];
  });

  let state = [initial()];
  if (optimizer !== "sgd") state = [state[0], ...[0, 1].map(() => state[0].map((p) => np.zeros(p.shape)))];
  let t = 0;
  const step = async () => {
    t++;
    const corrections = optimizer === "sgd" ? [] : [np.array(1 - 0.9 ** t), np.array(1 - 0.999 ** t)];
    const [value, ...next] = (optimizer === "sgd" ? sgd : adamw)(...state, ...corrections, input.ref, target.ref);
    state = next;
    await blockUntilReady([value, ...next.flat()]);
    return value;
  };
  const value = [];
  for (let i = 0; i < 3; i++) value.push((await (await step()).data())[0]);
  return { value, run: repeatAsync(async () => (await step()).dispose()) };
}

export const cases = { matmul, elementwise, forward, bothWays, training };
