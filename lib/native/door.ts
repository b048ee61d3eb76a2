/**
 * The door: all native calls that make, read or write tensors go through one object, which a recorder can replace. The
 * caller has written the call into the frame; the object in place writes its answer into the frame.
 */
import type { Addon } from "./addon.js";
import { addon } from "./load.js";

const calls = [
  "execute",
  "run",
  "read",
  "item",
  "create",
  "adopt",
  "save",
  "block",
  "share",
  "attach",
] as const satisfies readonly (keyof Addon)[];

export type Door = Pick<Addon, (typeof calls)[number]>;

/** The default: every call runs in the add-on immediately. */
export const eager = Object.fromEntries(calls.map((name) => [name, addon[name]])) as unknown as Door;

export let door: Door = eager;

/** Whether another object is in place. */
export const recording = (): boolean => door !== eager;

/** Runs `run` with another object in place. */
export function standIn<T>(other: Door, run: () => T): T {
  const before = door;
  door = other;
  try {
    return run();
  } finally {
    door = before;
  }
}
