import { needInteger } from "../engine/operand.js";
import type { NativeStats } from "../native/addon.js";
import { addon } from "../native/frame.js";
import { reclaimAll } from "../tensor/memory.js";

/**
 * Limits the threads that kernels called from this JavaScript thread use, itself included; results do not depend on it.
 * `NABLA_NUM_THREADS` sizes the pool that they come from.
 * @throws ERR_ARGUMENT for anything but an integer of at least 1.
 */
export function setNumThreads(n: number): void {
  addon.threads(needInteger("setNumThreads", "the number of threads", n, 1));
}

/** How many threads kernels called from this JavaScript thread may use. */
export const numThreads = (): number => Math.min(addon.threads(), addon.poolThreads());

/**
 * Frees the tensors of this JavaScript thread that nothing refers to any more, by a full garbage collection, and gives
 * the memory that is kept for reuse back to the system. It also goes back, down to 64 MB, after 5 seconds without an op.
 * @example
 * trim();
 * memory().cachedBytes; // 0
 */
export const trim = (): void => reclaimAll();

/** What is allocated: storages, bytes in use, bytes kept for reuse, and handles of this JavaScript thread. */
export const memory = (): NativeStats => addon.stats();
