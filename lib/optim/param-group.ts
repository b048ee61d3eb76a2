/** Parameter groups, as the user gives them and as an optimizer keeps them. */
import { needFinite } from "../core/arguments.js";
import type { Tensor } from "../tensor/tensor.js";

/** Fields of schedules in a group, saved with it in the optimizer's state. */
export interface ScheduleFields {
  /** The learning rate when the first schedule was made; OneCycleLR sets it to the first rate of its cycle. */
  initialLr?: number | undefined;
  /** The highest learning rate of a OneCycleLR. */
  maxLr?: number | undefined;
  /** The last learning rate of a OneCycleLR. */
  minLr?: number | undefined;
  /** The lowest momentum, or `betas[0]`, of a OneCycleLR. */
  baseMomentum?: number | undefined;
  /** The highest momentum, or `betas[0]`, of a OneCycleLR. */
  maxMomentum?: number | undefined;
}

/** Hyperparameters given by a user; missing ones get their defaults. */
export type OptionsOf<H> = { readonly [K in keyof H]?: H[K] | undefined };
/** Parameters with hyperparameters of their own. */
export type GroupInit<H> = OptionsOf<H> & Readonly<ScheduleFields> & { readonly params: Iterable<Tensor> };
/** The argument of an optimizer: parameters, or groups of them. */
export type Parameters<H> = Iterable<Tensor> | Iterable<GroupInit<H>>;
/** A group of an optimizer. Its hyperparameters may be changed at any time; every step reads them. */
export type ParamGroup<H> = H & ScheduleFields & { params: Tensor[] };

export const scheduleFields = ["initialLr", "maxLr", "minLr", "baseMomentum", "maxMomentum"] as const;

/** The schedule fields that are present; ERR_ARGUMENT unless they are finite numbers. */
export function readScheduleFields(op: string, from: { readonly [key: string]: unknown }): ScheduleFields {
  const found: ScheduleFields = {};
  for (const key of scheduleFields) {
    const value = from[key];
    if (value === undefined) continue;
    found[key] = needFinite(op, key, value);
  }
  return found;
}
