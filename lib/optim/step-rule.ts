import { needFinite, refuse } from "../core/arguments.js";
import { numel } from "../core/shape.js";
import { defineKernel, type Row } from "../engine/row.js";

/**
 * Describes one kind of optimizer as data. Hyperparameters are passed to the kernel as scalars, so a change of a group
 * takes effect at the next step.
 */
export interface StepRule<H extends object> {
  readonly name: string;
  /** The kernel of a step; null if the optimizer implements `step` itself. */
  readonly row: Row<undefined> | null;
  readonly defaults: H;
  /** The names of the buffers per parameter in a state dictionary, in the order of the kernel's arguments. */
  readonly buffers: readonly string[];
  /** Whether the number of steps of a parameter is part of its state; otherwise only whether there was one. */
  readonly counts: boolean;
  /** How many of the buffers a group with these hyperparameters uses. */
  used(group: H): number;
  /** The kernel's attributes for parameters after `age` steps; ERR_ARGUMENT for an invalid hyperparameter. */
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

/** Checks two decay rates, each at least 0 and below 1. */
export function twoBetas(op: string, betas: unknown): [number, number] {
  if (!Array.isArray(betas) || betas.length !== 2) refuse(op, "betas", "an array of two numbers", betas);
  const [first, second] = betas as [unknown, unknown];
  const share = { least: 0, below: 1 };
  return [needFinite(op, "betas[0]", first, share), needFinite(op, "betas[1]", second, share)];
}
