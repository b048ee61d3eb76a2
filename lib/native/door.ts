/**
 * The door: every native call that makes, reads or writes tensors goes through one object, so that a recorder can stand in
 * its place. The caller has written the call into the frame; whoever stands at the door answers in the frame.
 */
import type { Addon } from "./addon.js";
import { addon } from "./load.js";

const calls = [
  "execute",
  "run",
  "read",
  "item",
  "holds",
  "create",
  "adopt",
  "save",
  "block",
  "share",
  "attach",
] as const satisfies readonly (keyof Addon)[];

export type Door = Pick<Addon, (typeof calls)[number]>;

/** The add-on as a door: every call runs at once. */
export const eager = Object.fromEntries(calls.map((name) => [name, addon[name]])) as unknown as Door;

export let door: Door = eager;

/** Whether somebody else stands at the door. */
export const recording = (): boolean => door !== eager;

/** Runs `run` with another object at the door. */
export function standIn<T>(other: Door, run: () => T): T {
  const before = door;
  door = other;
  try {
    return run();
  } finally {
    door = before;
  }
}
