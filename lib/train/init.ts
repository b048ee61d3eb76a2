import { fail } from "../core/errors.js";
import { loadSafetensors } from "../io/safetensors.js";
import type { InitOptions } from "../job/job.js";
import type { Module } from "../nn/module.js";
import type { Tensor } from "../tensor/tensor.js";

/** The prefix of a model's weights in a checkpoint. */
const prefix = "model.";

/** Loads the weights to begin with: of a safetensors file, or those of a run's checkpoint. */
export async function loadInitial(op: string, model: Module, { path, missing = [] }: InitOptions): Promise<void> {
  const found = await loadSafetensors(path);
  const own = Object.keys(model.stateDict());
  const isCheckpoint =
    !own.some((name) => name.startsWith(prefix)) && own.some((name) => Object.hasOwn(found, prefix + name));
  const weights: Record<string, Tensor> = isCheckpoint
    ? Object.fromEntries(
        Object.entries(found).flatMap(([name, x]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), x]] : [])),
      )
    : found;
  if (missing.length === 0) {
    model.loadStateDict(weights);
    return;
  }
  const mayMiss = (name: string): boolean =>
    missing.some((part) => name === part || (part.endsWith(".") && name.startsWith(part)));
  // Tells what is missing before anything is written.
  const lacking = own.filter((name) => !Object.hasOwn(weights, name) && !mayMiss(name));
  const unexpected = Object.keys(weights).filter((name) => !own.includes(name));
  if (lacking.length + unexpected.length > 0) {
    const parts = [lacking, unexpected].map((names) => (names.length === 0 ? "none" : names.join(", ")));
    fail("ERR_ARGUMENT", op, `the names in init do not fit; missing are ${parts[0]}; unexpected are ${parts[1]}`);
  }
  model.loadStateDict(weights, { strict: false });
}
