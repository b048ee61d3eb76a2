import { optim as optimizers } from "nabla";
import { workOfLast } from "../harness/work.mjs";

const name = "AdamW, 10 M parameters";
const spec = { kind: "optimizer", tensors: 10, size: 1e6 };
const settings = ["", " foreach", " fused"];
const rivals = ["pytorch", "pytorch-debian"].flatMap((build) => settings.map((setting) => build + setting));
const { bytesRead, bytesWritten } = workOfLast(
  [[spec.tensors * spec.size], [spec.tensors * spec.size]],
  (p, gradient) => {
    p.requiresGrad = true;
    p.grad = gradient;
    new optimizers.AdamW([p]).step();
  },
);
const bytes = bytesRead + bytesWritten;
const stream = "stream copy";

const bound = (text, contender, atLeast, threads) => ({
  text: `${name} against ${text}, ${threads} thread${threads > 1 ? "s" : ""}`,
  atLeast,
  detail: threads === 1,
  ours: { case: name, metric: "bandwidth", contender: /^nabla$/, threads },
  theirs: { case: name, metric: "bandwidth", contender, threads },
});

/** One optimizer step over ten tensors of a million elements. */
export const optim = {
  name: "optim",
  trials: [1, 2].map((threads) => ({
    title: name,
    tolerance: 1e-5,
    yardstick: stream,
    metrics: [{ metric: "bandwidth", unit: "GB/s", of: (seconds, { work = bytes }) => work / seconds / 1e9 }],
    entries: ["nabla", ...rivals, stream].map((contender) => ({
      case: name,
      contender,
      threads,
      spec: contender === stream ? { kind: "copy", size: spec.tensors * spec.size } : spec,
    })),
  })),
  bounds: [1, 2].flatMap((threads) => [
    bound("the stream", /^stream copy$/, 0.85, threads),
    bound("PyTorch at its best", /^pytorch/, 1, threads),
  ]),
};
