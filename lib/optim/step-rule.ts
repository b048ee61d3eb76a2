import { describe, fail } from "../core/errors.js";
import { numel } from "../core/shape.js";
import { defineKernel, type Row } from "../engine/row.js";

/**
 * How one kind of optimizer steps: everything that tells it from the others, as data. All numbers go to the kernel as
 * scalars, so that a change of a group's hyperparameters counts from the next step on.
 */
export interface StepRule<H extends object> {
  readonly name: string;
  /** The kernel of a step; null where the optimizer steps by itself. */
  readonly row: Row<undefined> | null;
  readonly defaults: H;
  /** What is kept per parameter, in the order in which the kernel takes it, by its name in a state dictionary. */
  readonly buffers: readonly string[];
  /** Whether the number of steps a parameter has made is part of its state; else only whether there was one. */
  readonly counts: boolean;
  /** How many of the buffers a group with these hyperparameters needs. */
  used(group: H): number;
  /** The kernel's attributes for parameters that have made `age` steps; ERR_ARGUMENT for a bad hyperparameter. */
  attrs(group: H, age: number): readonly number[];
}

/** The row of a step's kernel. It writes parameters and buffers, and reads gradients. */
export const stepKernel = (name: string, flopsOfElement: number): Row<undefined> =>
  defineKernel<undefined>({
    name,
    family: "optimizer",
    accuracy: "tree",
    flops: ({ inputs }) => flopsOfElement * inputs.reduce((sum, gradient) => sum + numel(gradient!.shape), 0),
  });

/** Two shares of what was, each of 0 or more and below 1. */
export function twoBetas(op: string, betas: unknown): [number, number] {
  if (!Array.isArray(betas) || betas.length !== 2)
    fail("ERR_ARGUMENT", op, "betas is not valid", "an array of two numbers", describe(betas));
  const [first, second] = betas as [unknown, unknown];
  return [nonNegative(op, "betas[0]", first, 1), nonNegative(op, "betas[1]", second, 1)];
}

/** A hyperparameter of 0 or more, and below `limit`. */
export function nonNegative(op: string, field: string, value: unknown, limit = Number.POSITIVE_INFINITY): number {
  if (typeof value === "number" && value >= 0 && value < limit) return value;
  const expected =
    limit === Number.POSITIVE_INFINITY ? "a finite number of at least 0" : `at least 0 and below ${limit}`;
  return fail("ERR_ARGUMENT", op, `${field} is not valid`, expected, describe(value), { [field]: value });
}
