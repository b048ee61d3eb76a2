// Who takes part, and how a process of each is started. A launcher that rejects makes its contender absent.
import { access } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { program } from "../rivals/build.mjs";
import { amd, isa } from "./machine.mjs";

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

const node = (module) => async (spec) => ({
  file: process.execPath,
  args: [path("harness/child.mjs"), path(module), JSON.stringify(spec)],
});
const python = (interpreter, script) => async (spec) => {
  await access(interpreter).catch(() => {
    throw new Error(`no ${interpreter.split("/").slice(-3).join("/")}`);
  });
  return { file: interpreter, args: [path(`rivals/${script}`)], spec };
};
const blas =
  (name) =>
  async ({ m, k, n, transA, transB, threads, dtype = "float32", batch = 1 }) => ({
    file: await program(name),
    args: [m, k, n, Number(transA), Number(transB), threads, dtype, batch].map(String),
  });
const machine =
  (...words) =>
  async (spec) => ({
    file: await program("machine"),
    args: words.map((word) => String(spec[word] ?? word)),
  });

const environment = path("rivals/.venv/bin/python");
const distribution = "/usr/bin/python3";

/** Fields: start(spec) says what to spawn; extra goes into the spec; threads, where fewer than asked are possible, says how many. */
export const contenders = {
  nabla: { start: node("nabla.mjs") },
  openblas: { start: blas("openblas") },
  blis: { start: blas("blis") },
  onednn: { start: blas("onednn") },
  numpy: { start: python(environment, "numpy_rival.py") },
  "numpy-debian": { start: python(distribution, "numpy_rival.py") },
  ...pytorch("pytorch", environment),
  ...pytorch("pytorch-debian", distribution),
  "tfjs-wasm": { start: node("rivals/tfjs.mjs"), extra: { backend: "wasm" }, threads: 1 },
  "tfjs-cpu": { start: node("rivals/tfjs.mjs"), extra: { backend: "cpu" }, threads: 1 },
  "jax-js": { start: node("rivals/jax-js.mjs"), threads: 1 },
  "fma loop": { start: machine("fma", "threads") },
  "stream copy": { start: machine("copy", "size", "threads") },
};

function pytorch(name, interpreter) {
  const start = python(interpreter, "torch_rival.py");
  const variants = [null, "out=", "foreach", "fused"];
  return Object.fromEntries(
    variants.map((variant) => [variant ? `${name} ${variant}` : name, { start, extra: { variant } }]),
  );
}

// Libraries older than an AMD processor with AVX-512 take it for one without, and multiply at half its speed: they are told
// (BLIS by the number of its SkylakeX).
const told = amd && isa.includes("avx512f") ? { OPENBLAS_CORETYPE: "SkylakeX", BLIS_ARCH_TYPE: "0" } : {};

/** Starts a contender at a case, or says why that cannot be: { start } or { status, reason }. */
export async function prepare(name, spec) {
  const { start, extra, threads = spec.threads } = contenders[name];
  if (threads < spec.threads) return { status: "unsupported", reason: `${threads} thread only` };
  try {
    const count = String(spec.threads);
    const env = Object.fromEntries(
      ["OMP", "MKL", "OPENBLAS", "BLIS", "NABLA"].map((who) => [`${who}_NUM_THREADS`, count]),
    );
    return { launch: { ...(await start({ ...spec, ...extra })), env: { ...told, ...env } } };
  } catch (error) {
    return { status: "absent", reason: error.message };
  }
}
