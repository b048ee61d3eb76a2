/** What a data set gets with the number of a sample, and how its errors name that number. */
import { keyFor } from "../core/random-key.js";
import { RandomGenerator } from "../ops/random.js";

/** For a data set that draws random numbers, such as for augmentation. */
export interface SampleContext {
  /** The number of the epoch, from 0. */
  readonly epoch: number;
  /** A generator whose numbers depend only on the loader's seed, the epoch and the number of the sample. */
  readonly random: RandomGenerator;
}

export class Context implements SampleContext {
  readonly epoch: number;
  private readonly seed: number;
  private readonly sample: number;
  private generator: RandomGenerator | undefined;

  constructor(seed: number, epoch: number, sample: number) {
    this.seed = seed;
    this.epoch = epoch;
    this.sample = sample;
  }

  get random(): RandomGenerator {
    if (this.generator === undefined) {
      this.generator = new RandomGenerator(this.seed);
      this.generator.replaceKey(keyFor(this.seed, this.epoch, this.sample));
    }
    return this.generator;
  }
}

/** Says in an error's message, and in its property `sample`, at which sample it was thrown; returns it. */
export function atSample(error: unknown, sample: number): unknown {
  if (!(error instanceof Error) || Object.hasOwn(error, "sample")) return error;
  const { message, stack } = error;
  const named = `${message} (sample ${sample})`;
  Reflect.set(error, "message", named);
  if (typeof stack === "string")
    Reflect.set(
      error,
      "stack",
      stack.replace(message, () => named),
    );
  Reflect.defineProperty(error, "sample", { value: sample, configurable: true, enumerable: true, writable: true });
  return error;
}
