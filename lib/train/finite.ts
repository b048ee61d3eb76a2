/** The checks that come before the first write of a step's results. */
import { NablaError } from "../core/errors.js";
import { finite } from "../ops/checked.js";
import type { Tensor } from "../tensor/tensor.js";

/** What a step made is not finite; nothing of it has been written. */
export class NotFinite extends Error {}

/** Runs a check that fails with ERR_GRADIENT. */
export function checking<T>(fact: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (error instanceof NablaError && error.code === "ERR_GRADIENT") throw new NotFinite(fact);
    throw error;
  }
}

/** Throws {@link NotFinite} unless all elements are finite; nothing is read back. */
export function needFinite(x: Tensor, fact = "the loss is not finite"): void {
  checking(fact, () => finite(x.detach(), fact, "finite numbers"));
}

/** Whether all elements of all float tensors are finite. */
export function areFinite(tensors: Iterable<Tensor>): boolean {
  try {
    for (const x of tensors) if (x.type.kind === "float") needFinite(x);
    return true;
  } catch (error) {
    if (error instanceof NotFinite) return false;
    throw error;
  }
}
