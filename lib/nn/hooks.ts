/** Functions that run before and after a module's forward. */
import { needFunction, synchronous } from "../core/arguments.js";
import { describe, fail } from "../core/errors.js";
import { isTensor } from "../tensor/tensor.js";

/** The arguments of a module's forward. */
export type InputsOf<M> = M extends { forward(...inputs: infer I): unknown } ? I : never;
/** The result of a module's forward. */
export type OutputOf<M> = M extends { forward(...inputs: never[]): infer O } ? O : never;

/** Called after forward; a result other than undefined replaces the output. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing is the usual one.
export type ForwardHook<M> = (module: M, inputs: InputsOf<M>, output: OutputOf<M>) => OutputOf<M> | undefined | void;
/** Called before forward; a returned array replaces the inputs. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing is the usual one.
export type ForwardPreHook<M> = (module: M, inputs: InputsOf<M>) => readonly unknown[] | undefined | void;

type Before = (module: object, inputs: unknown[]) => unknown;
type After = (module: object, inputs: unknown[], output: unknown) => unknown;

interface Hooks {
  readonly before: Set<{ readonly run: Before }>;
  readonly after: Set<{ readonly run: After }>;
}

const registered = new WeakMap<object, Hooks>();

/**
 * The hooks of a module. Wraps its forward when the first hook is added, so that modules without hooks cost nothing.
 */
function hooksOf(module: { forward: unknown }): Hooks {
  const known = registered.get(module);
  if (known !== undefined) return known;
  const hooks: Hooks = { before: new Set(), after: new Set() };
  registered.set(module, hooks);
  const inner = module.forward as (...inputs: unknown[]) => unknown;
  const value = (...given: unknown[]): unknown => {
    let inputs = given;
    for (const { run } of hooks.before) {
      const changed = synchronous("registerForwardPreHook", run(module, inputs));
      if (changed === undefined) continue;
      if (!Array.isArray(changed))
        fail(
          "ERR_ARGUMENT",
          "registerForwardPreHook",
          "a hook must return all inputs",
          "an array or nothing",
          describe(changed),
        );
      inputs = changed;
    }
    let output = inner.apply(module, inputs);
    for (const { run } of hooks.after) {
      const changed = synchronous("registerForwardHook", run(module, inputs, output));
      if (changed === undefined) continue;
      if (isTensor(output) && !isTensor(changed))
        fail(
          "ERR_ARGUMENT",
          "registerForwardHook",
          "a hook must return an output",
          "a tensor or nothing",
          describe(changed),
        );
      output = changed;
    }
    return output;
  };
  Object.defineProperty(module, "forward", { value, writable: true, configurable: true, enumerable: false });
  return hooks;
}

/** Adds a hook and returns a function that removes it. */
export function addHook(module: { forward: unknown }, when: "before" | "after", hook: unknown): () => void {
  needFunction(when === "before" ? "registerForwardPreHook" : "registerForwardHook", hook, "a hook");
  const entry = { run: hook as Before & After };
  const set = hooksOf(module)[when] as Set<typeof entry>;
  set.add(entry);
  return () => {
    set.delete(entry);
  };
}
