/** The model and its loss: what every worker builds for itself. */
import { defineJob, nn } from "nabla";
import type { Batch } from "./data.js";

export interface ModelArgs {
  readonly inputs: number;
  readonly classes: number;
  readonly dropout: number;
}

export default defineJob({
  model: ({ inputs, classes, dropout }: ModelArgs) =>
    new nn.Sequential(
      new nn.Linear(inputs, 512),
      new nn.ReLU(),
      new nn.Dropout(dropout),
      new nn.Linear(512, 256),
      new nn.ReLU(),
      new nn.Dropout(dropout),
      new nn.Linear(256, classes),
    ),
  loss: (model, [images, labels]: Batch) => nn.functional.crossEntropy(model.forward(images), labels),
});
