/**
 * The door: the object through which all native calls go that make, read or write tensors. By default it is the add-on;
 * a recorder replaces it to see each call. The caller has written the call into the frame, and the door writes the
 * answer there.
 */
import { synchronous } from "../core/arguments.js";
import type { Addon } from "./addon.js";
import { addon } from "./load.js";

const calls = [
  "execute",
  "run",
  "read",
  "item",
  "create",
  "map",
  "adopt",
  "save",
  "block",
  "share",
  "attach",
  "version",
] as const satisfies readonly (keyof Addon)[];

export type Door = Pick<Addon, (typeof calls)[number]>;

/** The default door: every call runs in the add-on immediately. */
export const eager = Object.fromEntries(calls.map((name) => [name, addon[name]])) as unknown as Door;

export let door: Door = eager;

/** Whether another door is in place. */
export const recording = (): boolean => door !== eager;

/** Runs a synchronous function with another door in place. ERR_ARGUMENT if it returns a promise. */
export function standIn<T>(other: Door, run: () => T): T {
  const before = door;
  door = other;
  try {
    return synchronous("standIn", run());
  } finally {
    door = before;
  }
}
