/** Fuses a linear layer with the activation that follows it. */
import type { Activation } from "../ops/matmul.js";
import type { Module } from "./module.js";

/**
 * @internal The method by which a layer declares that it is only an activation, unless it has hooks or an overridden
 * forward.
 */
export const activationOf: unique symbol = Symbol("activation");

/** @internal The activation that a layer consists of, or null. */
export function activationIn(layer: unknown): Activation | null {
  const layerActivation = (layer as Partial<Activating> | undefined)?.[activationOf];
  return layerActivation === undefined ? null : layerActivation.call(layer as Activating);
}

/** A layer that may consist of an activation. */
export interface Activating extends Module {
  [activationOf](): Activation | null;
}
