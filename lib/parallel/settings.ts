import { needInteger } from "../core/arguments.js";
import type { NativeStats } from "../native/addon.js";
import { addon } from "../native/frame.js";
import { reclaimAll } from "../tensor/memory.js";

/**
 * Limits the number of threads, including this one, for kernels called from this JavaScript thread; results do not
 * depend on it. `NABLA_NUM_THREADS` sets the size of the thread pool.
 * @throws ERR_ARGUMENT for anything but an integer of at least 1.
 */
export function setNumThreads(n: number): void {
  addon.threads(needInteger("setNumThreads", "the number of threads", n, 1));
}

/** The number of threads for kernels called from this JavaScript thread. */
export const numThreads = (): number => Math.min(addon.threads(), addon.poolThreads());

/**
 * Frees unreachable tensors of this JavaScript thread by a full garbage collection, and returns cached memory to the
 * system. After 5 seconds without an op this also happens automatically, down to 64 MB.
 * @example
 * trim();
 * memory().cachedBytes; // 0
 */
export const trim = (): void => reclaimAll();

/** Memory statistics: storages, bytes in use, bytes cached, and handles of this JavaScript thread. */
export const memory = (): NativeStats => addon.stats();
