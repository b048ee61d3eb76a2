/** How a linear layer computes the activation behind it in the same call. */
import type { Activation } from "../ops/matmul.js";
import type { Module } from "./module.js";

/** @internal The method by which a layer says that it is nothing but an activation, unless hooks or another forward add to it. */
export const activationOf: unique symbol = Symbol("activation");

/** @internal The activation that a layer is, or null. */
export function activationIn(layer: unknown): Activation | null {
  const layerActivation = (layer as Partial<Activating> | undefined)?.[activationOf];
  return layerActivation === undefined ? null : layerActivation.call(layer as Activating);
}

/** A layer that may be an activation. */
export interface Activating extends Module {
  [activationOf](): Activation | null;
}
