/** Returns memory to the system once a thread has been idle for some seconds. */
import { clearInterval, setInterval } from "../core/node.js";
import { collector } from "../native/collector.js";
import { addon } from "../native/frame.js";

const interval = 1000;
const idleChecks = 5;
/** The bytes kept in the cache. Also the least bytes allocated, and in use, for a major collection. */
const kept = 64 * 2 ** 20;

let timer: ReturnType<typeof setInterval> | null = null;
let quiet = 0;
let quietCache = 0;
let seen: readonly [made: number, large: number] = [0, 0];
let allocated = 0; // since the last major collection

/** Called when memory is reclaimed, with the bytes allocated since the last time. */
export function watchForIdleness(bytes: number): void {
  allocated += bytes;
  if (timer === null) timer = setInterval(check, interval).unref();
}

/** Called after a major collection. */
export function forgetAllocated(): void {
  allocated = 0;
}

function check(): void {
  const now = addon.activity();
  quiet = now[0] === seen[0] ? quiet + 1 : 0;
  quietCache = now[1] === seen[1] ? quietCache + 1 : 0;
  seen = now;
  if (quiet < idleChecks) return;
  if (allocated + addon.sinceReclaim() >= kept && addon.stats().liveBytes >= kept) {
    collector()?.major();
    addon.reclaim();
    allocated = 0;
  }
  // Other threads may still be using the cache.
  if (quietCache < idleChecks) return;
  addon.trim(kept);
  if (timer !== null) clearInterval(timer);
  timer = null;
}
