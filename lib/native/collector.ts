/**
 * The garbage collector of the JavaScript engine. Assumptions about engines are tested in
 * test/native/collector.test.ts.
 */
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
 * V8's function: `gc()` is a full collection and `gc(true)` a minor one. Not the form with an object: in Node 20 any
 * argument, even `{ type: "major" }`, means a minor collection.
 */
type Expose = (minor?: true) => void;

const fromV8 = (gc: Expose): Collector => ({ minor: () => gc(true), major: () => gc() });

/** Gets V8's function without leaving its flag set; null if there is none. */
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

/** The collector of this runtime, or null if it has none. */
export function collector(): Collector | null {
  if (found === undefined) found = find();
  return found;
}
