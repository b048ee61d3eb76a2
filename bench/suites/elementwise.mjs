import { workOf } from "../harness/work.mjs";

const rivals = ["numpy", "pytorch", "pytorch out=", "pytorch-debian", "tfjs-wasm", "jax-js"];
const large = "16 M";
const sizes = { "1e3": 1e3, "1e5": 1e5, [large]: 2 ** 24 };
const ops = ["add", "mul", "exp", "tanh", "sigmoid", "gelu", "relu"];

function trial(op, label, threads) {
  const spec = { kind: "elementwise", op, size: sizes[label] };
  const { bytesRead, bytesWritten } = workOf([[spec.size], [spec.size]], (a, b) =>
    op === "add" || op === "mul" ? a[op](b) : a[op](),
  );
  const bytes = bytesRead + bytesWritten;
  const entry = (contender) => ({
    case: `${op} ${label}`,
    contender,
    threads,
    spec: contender === "stream copy" ? { ...spec, op: "copy" } : spec,
  });
  return {
    title: `${op} ${label}`,
    tolerance: 1e-5,
    yardstick: "stream copy",
    metrics: [{ metric: "bandwidth", unit: "GB/s", of: (seconds, { work = bytes }) => work / seconds / 1e9 }],
    entries: ["nabla", ...rivals, "stream copy"].map(entry),
  };
}

const row = (op, contender, threads) => ({ case: `${op} ${large}`, metric: "bandwidth", contender, threads });
const against = (op, text, contender, atLeast, threads) => ({
  text: `${op} of ${large} elements against ${text}, ${threads} thread${threads > 1 ? "s" : ""}`,
  atLeast,
  detail: threads === 1 || !text.includes("users"),
  ours: row(op, /^nabla$/, threads),
  theirs: row(op, contender, threads),
});

/** float32 maps in cache and out of it; bytes read and written, as the stream copy (memcpy, which uses streaming stores) counts them. */
export const elementwise = {
  name: "elementwise",
  trials: [1, 2].flatMap((threads) =>
    Object.keys(sizes).flatMap((label) => ops.map((op) => trial(op, label, threads))),
  ),
  bounds: [1, 2].flatMap((threads) =>
    ["add", "mul", "exp", "tanh", "sigmoid", "gelu"].flatMap((op) => [
      against(op, "the stream", /^stream copy$/, 0.9, threads),
      against(op, "PyTorch as users write it", /^pytorch(-debian)?$/, op === "add" || op === "mul" ? 3 : 1.5, threads),
      against(op, "PyTorch's out=", /^pytorch out=$/, 1, threads),
    ]),
  ),
};
