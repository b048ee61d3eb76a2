/** Reclaims memory under pressure: first what is known to be dead, then after a minor, last after a major collection. */
import { collector } from "../native/collector.js";
import { addon } from "../native/frame.js";
import { forgetAllocated, watchForIdleness } from "./idle.js";

// Bytes allocated between two reclaims. Reusing memory that is still in the cache is worth many minor collections (0.1
// ms each, against 2 ms to write 16 MB that are not cached); but if everything is still in use, a reclaim frees
// nothing.
const LEAST = 16 * 2 ** 20;
const MOST = 256 * 2 ** 20;
let step = LEAST;

// The least number of large tensors between two reclaims. Frequent minor collections promote tensors that are in use,
// out of a minor collection's reach; but if at least half of the bytes are dead, frequent reclaims let results
// alternate between a few blocks.
const MOST_HANDLES = 12;
const LEAST_HANDLES = 2;
let fewest = MOST_HANDLES;

/** A reclaim that frees this fraction of the handles is enough, however few bytes they held. */
const HANDLE_SHARE = 0.25;

// A major collection runs when live memory has grown by `bound` since the last one; the bound doubles each time one
// frees little, so that a large working set does not trigger collections repeatedly.
let bound = 2 * MOST;
let floor = 0;

/**
 * Called before native calls, when memory is under pressure. Frees what the table of weak references shows to be dead;
 * if that is too little, runs a minor collection and tries again; if memory still grows, a major one.
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

/** Runs one stage of reclaiming, the cheapest first, and counts; false if there are no more. */
export function reclaimStage(i: number): boolean {
  if (i === 0) watchForIdleness(addon.sinceReclaim());
  stages[i]?.();
  return i < stages.length;
}

/** Reclaims memory in stages until `attempt` succeeds; false if it never does. */
export function reclaimUntil(attempt: () => boolean): boolean {
  for (let i = 0; reclaimStage(i); i++) if (attempt()) return true;
  return false;
}

/** Reclaims everything that is dead and returns the cache to the system. */
export function reclaimAll(): void {
  collectAll();
  addon.trim();
}
