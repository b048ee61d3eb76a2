/** Which kernels take half-precision inputs as they are, without a conversion to float32. */
import type { DTypeRow } from "../core/dtype.js";
import { isBatched } from "./batched.js";
import { mode } from "./modes.js";
import { type Operand, type Row, savesOf } from "./row.js";
import { tracked } from "./tape.js";

/**
 * Whether the kernel takes half-precision inputs as they are: kernels that only move elements; and, outside of vmap,
 * those that compute in float32 tile by tile. Of these, elementwise ones do not where a derivative rule needs float32.
 */
export const takesHalves = (
  row: Row,
  inputs: readonly Operand[],
  scalar: DTypeRow,
  attrs: readonly number[],
): boolean =>
  row.moves === true ||
  (!mode.keepFloat32 &&
    (row.halves === true || (attrs === scalar.attrs && !(mode.grad && tracked(inputs) !== 0))) &&
    !isBatched(inputs));

/**
 * Whether the kernel converts half-precision input i to float32 while it reads it, without a copy. Not where a
 * derivative rule without a fused kernel needs a float32 tensor.
 */
export function readsHalf(row: Row, inputs: readonly Operand[], i: number, elementwise = false): boolean {
  const x = inputs[i]!;
  if (typeof x === "number" || !x.type.half || isBatched(inputs)) return false;
  if (!elementwise && row.reads?.[x.type.name]?.includes(i) !== true) return false;
  const needs = mode.grad ? tracked(inputs) : 0;
  if (needs === 0) return true;
  if (row.rule.kind === "general") return row.rule.fused !== undefined;
  // Gradients of these kinds of rules are converted to the input's dtype.
  const { kind } = row.rule;
  return (kind === "elementwise" || kind === "linear") && (savesOf(row, needs) & (2 << i)) === 0;
}
