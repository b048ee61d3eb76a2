import { needInteger } from "../core/arguments.js";
import type { NativeStats } from "../native/addon.js";
import { addon } from "../native/frame.js";
import { reclaimAll } from "../tensor/memory.js";

/**
 * Limits the number of threads, including this one, that kernels called from this JavaScript thread use. Results do not
 * depend on it. The environment variable `NABLA_NUM_THREADS` sets the size of the thread pool.
 * @throws ERR_ARGUMENT for anything but an integer of at least 1.
 * @example
 * const before = numThreads();
 * setNumThreads(1);
 * numThreads(); // 1
 * setNumThreads(before);
 */
export function setNumThreads(n: number): void {
  addon.threads(needInteger("setNumThreads", "the number of threads", n, 1));
}

/**
 * The number of threads that kernels called from this JavaScript thread use, including this one.
 * @example numThreads() >= 1; // true
 */
export const numThreads = (): number => Math.min(addon.threads(), addon.poolThreads());

/**
 * Frees unreachable tensors of this JavaScript thread by a full garbage collection, and returns cached memory to the
 * system. After 5 seconds without an op this also happens automatically, except that up to 64 MB of cache are kept.
 * @example
 * trim();
 * memory().cachedBytes; // 0
 */
export const trim = (): void => reclaimAll();

/**
 * Memory statistics: storages, bytes in use and cached in the whole process, and handles of this JavaScript thread.
 * @example memory().liveBytes <= memory().limitBytes; // true
 */
export const memory = (): NativeStats => addon.stats();
