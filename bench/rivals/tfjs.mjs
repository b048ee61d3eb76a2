// TensorFlow.js in Node, on its wasm or its plain JavaScript backend (spec.backend). One thread each: its wasm threads need a browser.
import { createRequire } from "node:module";
import { matmulInputs, networkInputs, uniform } from "../harness/inputs.mjs";
import { probe, repeat, unsupported } from "../harness/steps.mjs";

const require = createRequire(import.meta.url);
const log = console.log;
console.log = console.warn = () => {}; // its greeting would break the protocol
const tf = require("@tensorflow/tfjs");
require("@tensorflow/tfjs-backend-wasm");
console.log = log;

export const version = () => `${tf.version.tfjs} ${tf.getBackend()}`;

const on = (open) => async (spec) => {
  await tf.setBackend(spec.backend);
  await tf.ready();
  return open(spec);
};
const report = async (result) => probe(await result.data());

async function matmul(spec) {
  const { m, k, n, transA, transB } = spec;
  const { a, b } = matmulInputs(spec);
  const left = tf.tensor(a, transA ? [k, m] : [m, k]);
  const right = tf.tensor(b, transB ? [n, k] : [k, n]);
  const multiply = () => tf.matMul(left, right, transA, transB);
  return { value: await report(multiply()), run: repeat(() => multiply().dispose()) };
}

async function elementwise({ op, size }) {
  const [a, b] = [tf.tensor(uniform(size, 1)), tf.tensor(uniform(size, 2))];
  const apply = { add: () => tf.add(a, b), mul: () => tf.mul(a, b) }[op] ?? (() => tf[op](a));
  if (op === "gelu") throw unsupported("tfjs has no gelu");
  return { value: await report(apply()), run: repeat(() => apply().dispose()) };
}

async function forward() {
  const [a, b] = [tf.tensor(uniform(4, 1)), tf.tensor(uniform(4, 2))];
  return { value: [...(await tf.mul(a, b).data())], run: repeat(() => tf.mul(a, b).dispose()) };
}

async function bothWays({ through }) {
  const [a, b, ones] = [tf.tensor(uniform(4, 1)), tf.tensor(uniform(4, 2)), tf.ones([4])];
  const pull = tf.grads((x, y) => (through === "sum" ? tf.mul(x, y).sum() : tf.mul(x, y)));
  const step = () => (through === "sum" ? pull([a, b]) : pull([a, b], ones));
  const values = await Promise.all(step().map((g) => g.data()));
  return { value: values.flatMap((g) => [...g]), run: repeat(() => step().forEach((g) => void g.dispose())) };
}

async function training(spec) {
  const { sizes, batch, task, optimizer, lr } = spec;
  const { layers, x, y } = networkInputs(spec);
  const input = tf.tensor(x, [batch, sizes[0]]);
  const outputs = sizes[sizes.length - 1];
  const target =
    task === "classes" ? tf.oneHot(tf.tensor1d(y, "int32"), outputs).toFloat() : tf.tensor(y, [batch, outputs]);
  const parameters = layers.map((l) => ({
    weight: tf.variable(tf.transpose(tf.tensor(l.weight, [l.out, l.in]))),
    bias: tf.variable(tf.tensor(l.bias)),
  }));
  const activate = task === "classes" ? tf.relu : tf.tanh;
  const rule = optimizer === "sgd" ? tf.train.sgd(lr) : tf.train.adam(lr, 0.9, 0.999, 1e-8);
  const loss = () => {
    const out = parameters.reduce((h, p, i) => {
      const z = tf.add(tf.matMul(h, p.weight), p.bias);
      return i < parameters.length - 1 ? activate(z) : z;
    }, input);
    return task === "classes" ? tf.losses.softmaxCrossEntropy(target, out) : tf.losses.meanSquaredError(target, out);
  };
  const step = () => rule.minimize(loss, true);
  const value = [];
  try {
    for (let i = 0; i < 3; i++) value.push((await step().data())[0]);
  } catch (error) {
    throw /not registered/.test(error.message) ? unsupported(error.message.split(/[.,]/)[0]) : error;
  }
  return { value, run: repeat(() => step().dispose()) };
}

export const cases = {
  matmul: on(matmul),
  elementwise: on(elementwise),
  forward: on(forward),
  bothWays: on(bothWays),
  training: on(training),
};
