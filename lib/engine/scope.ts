import { needFunction, synchronous } from "../core/arguments.js";
import { collectHandles, type Handle, outlives } from "../tensor/handle.js";
import { Tensor } from "../tensor/tensor.js";
import { Batched } from "./batched.js";
import type { NoPromise } from "./modes.js";

/** The handles of all tensors that a value holds, through arrays, maps, sets and the own properties of objects. */
function handlesIn(root: unknown): Set<Handle> {
  const handles = new Set<Handle>();
  const seen = new Set<unknown>();
  const open: unknown[] = [root];
  while (open.length > 0) {
    const value = open.pop();
    if (value instanceof Tensor) handles.add(value.handle);
    if (value instanceof Batched) open.push(value.value);
    if (typeof value !== "object" || value === null || value instanceof Tensor || ArrayBuffer.isView(value)) continue;
    if (seen.has(value)) continue;
    seen.add(value);
    if (value instanceof Map) for (const [key, inner] of value) open.push(key, inner);
    else if (value instanceof Set) for (const inner of value) open.push(inner);
    // Skips getters, which might run code.
    for (const { value: inner } of Object.values(Object.getOwnPropertyDescriptors(value))) open.push(inner);
  }
  return handles;
}

/**
 * Runs a synchronous function and disposes of every tensor made inside, except those in its result: a tensor, or
 * arrays, objects, maps and sets of tensors. Storages that a graph, a view in the result, a leaf's gradient or an
 * optimizer needs are kept.
 *
 * Scopes are optional, because unreachable memory is reclaimed anyway; with them it is freed at the end of the scope.
 * So put the scope inside the loop, not the loop inside the scope. Scopes can be nested; one that throws disposes of
 * everything made inside.
 * @throws ERR_ARGUMENT unless the argument is a function, and if the function returns a promise.
 * @example
 * const norm = scope(() => x.square().sum().sqrt());
 */
export function scope<T>(f: () => NoPromise<T>): T {
  needFunction("scope", f);
  const made: Handle[] = [];
  const outer = collectHandles(made);
  let kept: Set<Handle> | null = null;
  try {
    const result = synchronous("scope", f() as T);
    kept = handlesIn(result);
    return result;
  } finally {
    collectHandles(outer);
    for (const handle of made) {
      if (kept?.has(handle) || outlives(handle)) outer?.push(handle);
      else handle.release();
    }
  }
}
