/** Reclaims memory under pressure: first what is known to be dead, then after a minor, last after a major collection. */
import { collector } from "../native/collector.js";
import { addon } from "../native/frame.js";
import { forgetAllocated, watchForIdleness } from "./idle.js";

// Bytes allocated between two reclaims. Memory that is reused while it is still in the cache is worth many a minor collection (0.1 ms
// here, against 2 ms to write 16 MB that are not); but where what was allocated is still in use, they free nothing.
const LEAST = 16 * 2 ** 20;
const MOST = 256 * 2 ** 20;
let step = LEAST;

// Large tensors wait until there are so many. Collections that follow each other closely promote what is in use, out of
// a minor one's reach; where half of it or more is dead, they let the next result have the memory of the last but one.
const MOST_HANDLES = 12;
const LEAST_HANDLES = 2;
let fewest = MOST_HANDLES;

/** A reclaim that frees this share of the handles is enough, however few bytes they held. */
const HANDLE_SHARE = 0.25;

// A major collection is tried when live memory has grown by `bound` over what the last one left; the bound doubles each
// time one frees little, so that a large live set does not pay for collections again and again.
let bound = 2 * MOST;
let floor = 0;

/**
 * Called where a native call may be made and none is running. Frees what the table of weak references shows to be dead; where that is
 * too little, makes a minor collection and tries again; only when memory keeps growing all the same, a major one.
 */
export function reclaim(): void {
  const allocated = addon.sinceReclaim();
  watchForIdleness(allocated);
  const forBytes = allocated >= step;
  const freed = collectGarbage();
  if (!forBytes) return;
  step = freed < step / 2 ? Math.min(2 * step, MOST) : Math.max(step / 2, LEAST);
  fewest = freed < allocated / 2 ? MOST_HANDLES : Math.max(fewest >> 1, LEAST_HANDLES);
  addon.sinceReclaim(step, fewest);
}

/** Returns how many bytes it freed. */
function collectGarbage(): number {
  const handles = addon.stats().handles;
  let freed = addon.reclaim();
  const enough = (): boolean => freed >= step / 2 || handles - addon.stats().handles >= handles * HANDLE_SHARE;
  const gc = collector();
  if (gc === null || enough()) return freed;
  gc.minor();
  freed += addon.reclaim();
  if (enough()) return freed;
  const held = addon.stats().liveBytes;
  floor = Math.min(floor, held);
  return held - floor < bound ? freed : freed + collectAll();
}

/** A major collection and a reclaim; returns how many bytes they freed. */
function collectAll(): number {
  const held = addon.stats().liveBytes;
  collector()?.major();
  forgetAllocated();
  const freed = addon.reclaim();
  floor = addon.stats().liveBytes;
  bound = held - floor < MOST / 4 ? bound * 2 : 2 * MOST;
  return freed;
}

const stages: readonly (() => void)[] = [
  () => addon.reclaim(),
  () => {
    collector()?.minor();
    addon.reclaim();
  },
  () => collectAll(),
];

/** Reclaims more and more of what is dead, the cheapest first, until `attempt` succeeds; false where it never does. */
export function reclaimUntil(attempt: () => boolean): boolean {
  watchForIdleness(addon.sinceReclaim());
  for (const stage of stages) {
    stage();
    if (attempt()) return true;
  }
  return false;
}

/** Reclaims all that is dead and gives the cache back to the system. */
export function reclaimAll(): void {
  collectAll();
  addon.trim();
}
