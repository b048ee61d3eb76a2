/** Jobs and helpers of the tests of training. */
import { nn, type Tensor, TensorDataset, type TrainEvent, type Trainer, tensor } from "nabla";

/** Rows of three features and a class out of three, the same everywhere. */
export function rowsOf(count: number): TensorDataset<readonly [Tensor, Tensor]> {
  const x = tensor(Array.from({ length: count * 3 }, (_, i) => Math.sin(i * 1.7))).reshape([count, 3]);
  const y = tensor(Array.from({ length: count }, (_, i) => (i * i) % 3)).to("int64");
  return new TensorDataset(x, y);
}

export const perceptron = (width = 8): nn.Sequential =>
  new nn.Sequential(new nn.Linear(3, width), new nn.Tanh(), new nn.Linear(width, 3));

export const crossEntropy = (model: { forward(x: Tensor): Tensor }, [x, y]: readonly [Tensor, Tensor]): Tensor =>
  nn.functional.crossEntropy(model.forward(x), y);

/** The elements of the weights and buffers as texts, which tell each bit. */
export const bitsOf = (model: nn.Module): Record<string, string> =>
  Object.fromEntries(
    Object.entries(model.stateDict()).map(([name, x]) => [name, Array.from(x.toTypedArray(), String).join()]),
  );

/** Runs to the end; all events. */
export async function eventsOf(trainer: Trainer): Promise<TrainEvent[]> {
  const events: TrainEvent[] = [];
  const stream = trainer.events();
  const done = trainer.fit();
  done.catch(() => undefined);
  for await (const event of stream) events.push(event);
  await done;
  return events;
}
