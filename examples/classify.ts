/** The loss and the metric of classifiers. */
import { crossEntropy, type Tensor } from "nabla";

type Batch = readonly [inputs: Tensor, classes: Tensor];

export function classify(model: { forward(x: Tensor): Tensor }, [inputs, classes]: Batch) {
  const output = model.forward(inputs);
  return { loss: crossEntropy(output, classes), output };
}

/** Whether the largest output is that of the class, for each row. */
export const accuracy = (output: Tensor, [, classes]: Batch): Tensor => output.argmax(1).eq(classes);
