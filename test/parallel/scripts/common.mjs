import { createHash } from "node:crypto";
import { DataParallel, manualSeed, optim, rand, randint, randn } from "nabla";

export const job = (name) => new URL(`../jobs/${name}.mjs`, import.meta.url);

/** The bits of tensors as text. */
export function digest(tensors) {
  const hash = createHash("sha256");
  for (const t of tensors) {
    const { buffer, byteOffset, byteLength } = t.toTypedArray();
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  return hash.digest("hex").slice(0, 16);
}

const vectors = (rows) => [randn([rows, 8]), randint(0, 3, [rows])];
export const batches = {
  mlp: vectors,
  lstm: vectors,
  "batch-norm": vectors,
  residual: (rows) => ({ x: { a: randn([rows, 4]), b: randn([rows, 8]).at("..., ::2") }, y: rand([rows]), scale: 0.5 }),
};

/** Trains for some batches of the given sizes; returns losses and the bits of weights and gradients. */
export async function train(name, options, sizes, hooks = {}) {
  manualSeed(3);
  const dp = new DataParallel(job(hooks.job ?? name), { seed: 11, ...options });
  const opt = new optim.AdamW(dp.model.parameters(), { lr: 0.01 });
  const losses = [];
  hooks.start?.(dp, opt);
  for (const [i, rows] of sizes.entries()) {
    const batch = batches[name](rows);
    hooks.step?.(dp, opt, i);
    losses.push((await dp.backward(batch)).item());
    opt.step();
  }
  const gradients = dp.model.parameters().map((p) => p.grad);
  const result = {
    losses,
    weights: digest(dp.model.parameters()),
    gradients: digest(gradients.filter((g) => g !== null)),
    buffers: digest(dp.model.buffers()),
    missing: gradients.flatMap((g, i) => (g === null ? [dp.model.namedParameters()[i][0]] : [])),
  };
  await dp.close();
  return result;
}

export const print = (value) => console.log(JSON.stringify(value));
