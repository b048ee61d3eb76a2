/** The engine's garbage collector. What is assumed of each engine here, test/native/collector.test.ts holds. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { addon } from "./load.js";

export interface Collector {
  /** Collects young objects. */
  minor(): void;
  /** Collects everything. */
  major(): void;
}

/**
 * V8's function: `gc()` is a full collection and `gc(true)` a minor one. The form with an object is not used: in the V8
 * of Node 20 any argument, `{ type: "major" }` too, means a minor one.
 */
type Expose = (minor?: true) => void;

const fromV8 = (gc: Expose): Collector => ({ minor: () => gc(true), major: () => gc() });

/** V8's own function without leaving its flag set; null where there is none. */
function exposed(): Expose | null {
  const { gc } = globalThis as { gc?: Expose };
  if (typeof gc === "function") return gc;
  addon.lockFlags();
  try {
    setFlagsFromString("--expose-gc");
    const taken: unknown = runInNewContext("typeof gc === 'function' ? gc : null");
    setFlagsFromString("--no-expose-gc");
    return taken as Expose | null;
  } catch {
    return null;
  } finally {
    addon.unlockFlags();
  }
}

function find(): Collector | null {
  const { Bun } = globalThis as { Bun?: { gc?(synchronous: boolean): void } };
  if (typeof Bun?.gc === "function") {
    const all = (): void => Bun.gc?.(true); // JavaScriptCore offers no minor collection
    return { minor: all, major: all };
  }
  const gc = exposed();
  return gc === null ? null : fromV8(gc);
}

let found: Collector | null | undefined;

/** The collector of this runtime, or null where it offers none. */
export function collector(): Collector | null {
  if (found === undefined) found = find();
  return found;
}
