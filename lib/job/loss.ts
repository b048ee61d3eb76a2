/** What a loss returns: a mean, or a sum and a count, with the output and what to log. */
import { refuse, synchronous } from "../core/arguments.js";
import { describe, fail } from "../core/errors.js";
import { isPlain } from "../core/tree.js";
import { needTensor } from "../engine/operand.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";

/** A sum over any terms (rows, tokens, pixels), and their number. */
export interface SumAndCount {
  readonly sum: Tensor;
  readonly count: number | Tensor;
}

/** Scalars of the user's own. */
export type Log = Readonly<Record<string, Tensor | number>>;

export interface LossAndOutput<O> {
  readonly loss: Tensor | SumAndCount;
  /** What `metrics` get. */
  readonly output?: O | undefined;
  /** Scalars for the `step` events; of several shards, their mean weighted as the loss is. */
  readonly log?: Log | undefined;
}

export type LossResult<O = unknown> = Tensor | SumAndCount | LossAndOutput<O>;

/** The loss of some rows is `scale * value` as a sum and `scale * value / count` as a mean. */
export interface Loss {
  /** One element. */
  readonly value: Tensor;
  readonly scale: number;
  readonly count: number;
  readonly output: unknown;
  readonly log: Log;
}

const none: Log = Object.freeze({});

/** The number of a one-element tensor, or the number itself. */
export const numberOf = (value: Tensor | number): number => (isTensor(value) ? value.item() : value);

const isSum = (value: unknown): value is SumAndCount => isPlain(value) && "sum" in value && "count" in value;

function needOne(op: string, value: unknown, what: string, expected: string): Tensor {
  const x = needTensor(op, value, what);
  if (x.numel === 1) return x;
  return fail("ERR_SHAPE", op, `${what} must have one element`, expected, `shape [${x.shape.join(", ")}]`);
}

/** Checks what a loss of so many rows has returned; ERR_ARGUMENT without the output that metrics need. */
export function lossOf(op: string, returned: unknown, rows: number, measured: boolean): Loss {
  const given: unknown = synchronous(op, returned);
  const whole = isPlain(given) && "loss" in given;
  const {
    loss,
    output,
    log = none,
  } = whole ? (given as unknown as LossAndOutput<unknown>) : { loss: given, output: undefined };
  if (measured && output === undefined)
    fail(
      "ERR_ARGUMENT",
      op,
      "metrics need the model's output",
      "a loss that returns { loss, output }",
      describe(given),
    );
  if (!isPlain(log)) refuse(op, "log", "an object of numbers", log);
  for (const [name, value] of Object.entries(log))
    if (typeof value !== "number" && !(isTensor(value) && value.numel === 1))
      refuse(op, `log.${name}`, "a number or a tensor of one element", value);
  if (!isSum(loss))
    return {
      value: needOne(op, loss, "what loss returns", "the mean over the rows"),
      scale: rows,
      count: rows,
      output,
      log,
    };
  const value = needOne(op, loss.sum, "the sum that loss returns", "a sum");
  const count = isTensor(loss.count) && loss.count.numel === 1 ? loss.count.item() : loss.count;
  if (typeof count !== "number" || !(count >= 0 && count < Number.POSITIVE_INFINITY))
    fail(
      "ERR_ARGUMENT",
      op,
      "the count that loss returns is not valid",
      "a finite number of at least 0",
      describe(count),
    );
  return { value, scale: 1, count, output, log };
}
