/** Groups of parameters: what a user gives, what an optimizer holds. */
import { describe, fail } from "../core/errors.js";
import type { Tensor } from "../tensor/tensor.js";

/** What schedules keep with a group. It is saved with the group, in the state of the optimizer. */
export interface ScheduleFields {
  /** The learning rate with which the first schedule found the group; OneCycleLR sets it to the first rate of its cycle. */
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

/** Hyperparameters as a user gives them: those left out keep their default. */
export type OptionsOf<H> = { readonly [K in keyof H]?: H[K] | undefined };
/** A group of parameters with hyperparameters of its own. */
export type GroupInit<H> = OptionsOf<H> & Readonly<ScheduleFields> & { readonly params: Iterable<Tensor> };
/** What an optimizer is given: parameters, or groups of them. */
export type Parameters<H> = Iterable<Tensor> | Iterable<GroupInit<H>>;
/** A group in use. Its hyperparameters are read at every step and may be changed at any time. */
export type ParamGroup<H> = H & ScheduleFields & { params: Tensor[] };

export const scheduleFields = ["initialLr", "maxLr", "minLr", "baseMomentum", "maxMomentum"] as const;

/** The fields of schedules that are there; ERR_ARGUMENT for one that is no finite number. */
export function readScheduleFields(op: string, from: { readonly [key: string]: unknown }): ScheduleFields {
  const found: ScheduleFields = {};
  for (const key of scheduleFields) {
    const value = from[key];
    if (value === undefined) continue;
    if (typeof value !== "number" || !Number.isFinite(value))
      fail("ERR_ARGUMENT", op, `${key} is not valid`, "a finite number", describe(value));
    found[key] = value;
  }
  return found;
}
