/**
 * Shared by functions that run a second time in backward: their arguments without the tensors, and the state they ran
 * in.
 */
import type { RandomKey } from "../core/random-key.js";
import { mapTree } from "../core/tree.js";
import { withGrad } from "../engine/modes.js";
import { defaultGenerator } from "../ops/random.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";

/** A placeholder for a tensor that a graph node saves. */
export class Place {
  readonly index: number;
  constructor(index: number) {
    this.index = index;
  }
}
export const isPlace = (value: unknown): value is Place => value instanceof Place;

/** The tree with each tensor replaced by a placeholder. */
export const emptied = (tree: unknown, placeOf: (x: Tensor) => number): unknown =>
  mapTree(tree, isTensor, (x) => new Place(placeOf(x)));
/** The tree with each placeholder replaced by its tensor. */
export const filled = (tree: unknown, at: (place: number) => Tensor): unknown =>
  mapTree(tree, isPlace, ({ index }) => at(index));

export interface Situation {
  readonly random: RandomKey;
}
export const situation = (): Situation => ({ random: defaultGenerator.copyKey() });

/** Runs `f` again with the same random numbers, recorded. */
export function again<T>({ random }: Situation, f: () => T): T {
  const now = defaultGenerator.replaceKey(random.copy());
  try {
    return withGrad(true, f);
  } finally {
    defaultGenerator.replaceKey(now);
  }
}
