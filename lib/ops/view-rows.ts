import { isContiguous, type Shape } from "../core/shape.js";

/** What the rows of views have in common. */
export const asView = { family: "movement", kernel: null, inputs: 1, accuracy: "exact" } as const;

/** Strides, or null if row-major. */
export const layoutOf = (shape: Shape, strides: readonly number[]): readonly number[] | null =>
  isContiguous(shape, strides) ? null : strides;
