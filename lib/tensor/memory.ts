/** Gives memory back under pressure: first what is known to be dead, then after a minor, last after a major collection. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { addon } from "../native/frame.js";

type Collect = (options?: { type: "minor" | "major" }) => void;

let collect: Collect | null | undefined;

/** The engine's own collector, taken without leaving its flag set; null where the runtime has none. */
function collector(): Collect | null {
  if (collect !== undefined) return collect;
  const own = (globalThis as { gc?: Collect }).gc;
  if (typeof own === "function") {
    collect = own;
    return own;
  }
  addon.lockFlags();
  try {
    setFlagsFromString("--expose-gc");
    const taken: unknown = runInNewContext("typeof gc === 'function' ? gc : null");
    collect = taken as Collect | null;
    setFlagsFromString("--no-expose-gc");
  } catch {
    collect = null;
  } finally {
    addon.unlockFlags();
  }
  return collect;
}

const STEP = 256 * 2 ** 20;
const ENOUGH = STEP / 4;
/** A walk that frees this share of the handles has done its work, however few bytes they held. */
const HANDLE_SHARE = 0.25;

// A major collection is tried when live memory has grown by `bound` over what the last one left; the bound doubles each
// time one frees little, so that a large live set does not pay for collections again and again.
let bound = 2 * STEP;
let floor = 0;

/**
 * Called where a native call may be made and none is running. Walks the table of weak references; where that frees too
 * little, makes a minor collection and walks again; only when memory keeps growing all the same, a major one.
 */
export function relieve(everything = false): void {
  const before = addon.stats();
  const freedEnough = (): boolean => {
    const now = addon.stats();
    return before.liveBytes - now.liveBytes >= ENOUGH || before.handles - now.handles >= before.handles * HANDLE_SHARE;
  };
  addon.walk();
  const gc = collector();
  if (gc === null) return;
  if (!everything && freedEnough()) return;
  gc({ type: "minor" });
  addon.walk();
  if (!everything && freedEnough()) return;
  const held = addon.stats().liveBytes;
  floor = Math.min(floor, held);
  if (!everything && held - floor < bound) return;
  gc({ type: "major" });
  addon.walk();
  floor = addon.stats().liveBytes;
  bound = held - floor < ENOUGH ? bound * 2 : 2 * STEP;
  if (everything) addon.trim();
}
