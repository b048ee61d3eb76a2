/** What functions that run a second time share: their arguments without the tensors, and the state they ran in. */
import type { RandomKey } from "../core/random-key.js";
import { mapTree } from "../core/tree.js";
import { withGrad } from "../engine/modes.js";
import { defaultGenerator } from "../ops/random.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";

/** Stands for a tensor that a graph node keeps. */
export class Place {
  readonly index: number;
  constructor(index: number) {
    this.index = index;
  }
}
const isPlace = (value: unknown): value is Place => value instanceof Place;

/** A tree with places for its tensors. */
export const emptied = (tree: unknown, placeOf: (x: Tensor) => number): unknown =>
  mapTree(tree, isTensor, (x) => new Place(placeOf(x)));
/** A tree with tensors for its places. */
export const filled = (tree: unknown, at: (place: number) => Tensor): unknown =>
  mapTree(tree, isPlace, ({ index }) => at(index));
export const placesOf = isPlace;

export interface Situation {
  readonly random: RandomKey;
}
export const situation = (): Situation => ({ random: defaultGenerator.copyKey() });

/** Runs `f` as it ran then: with the same random numbers, and recorded. */
export function again<T>({ random }: Situation, f: () => T): T {
  const now = defaultGenerator.replaceKey(random.copy());
  try {
    return withGrad(true, f);
  } finally {
    defaultGenerator.replaceKey(now);
  }
}
