import { draw } from "../picture.js";
import type { Result } from "./train.js";

/** Loss of every step on the left, accuracy on the held-out digits after every epoch on the right. */
export async function drawTraining(path: string, { seed, accuracy, steps, epochs }: Result): Promise<void> {
  const size = { width: 380, height: 280 };
  await draw(path, {
    title: `Handwritten digits, seed ${seed}: ${(100 * accuracy).toFixed(2)} % of the held-out digits right`,
    hconcat: [
      {
        ...size,
        data: { values: steps.map(({ step, loss }) => ({ step, loss })) },
        layer: [
          { mark: { type: "line", strokeWidth: 0.6, opacity: 0.5 } },
          {
            transform: [{ window: [{ op: "mean", field: "loss", as: "smooth" }], frame: [-15, 15] }],
            mark: { type: "line", strokeWidth: 2 },
            encoding: { y: { field: "smooth", type: "quantitative" } },
          },
        ],
        encoding: {
          x: { field: "step", type: "quantitative", title: "step" },
          y: { field: "loss", type: "quantitative", title: "training loss", scale: { type: "log" } },
        },
      },
      {
        ...size,
        data: { values: epochs.map(({ epoch, accuracy }) => ({ epoch, accuracy: 100 * accuracy })) },
        mark: { type: "line", point: true },
        encoding: {
          x: { field: "epoch", type: "quantitative", title: "epoch" },
          y: { field: "accuracy", type: "quantitative", title: "held-out accuracy, %", scale: { zero: false } },
        },
      },
    ],
  });
}
