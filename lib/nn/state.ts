/** Loads tensors by name into parameters and buffers. */
import { needFunction } from "../core/arguments.js";
import { describe, fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { sameShape, showShape } from "../core/shape.js";
import { withGrad } from "../engine/modes.js";
import { exactOr } from "../ops/element.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";

export interface LoadOptions {
  /** Whether missing or unexpected names are an error; default true. */
  readonly strict?: boolean | undefined;
  /** Maps a name in the state to the name in the module. */
  readonly rename?: ((name: string) => string) | undefined;
}
export interface LoadResult {
  /** Names in the module that the state does not have. */
  readonly missing: string[];
  /** Names in the state that the module does not have. */
  readonly unexpected: string[];
}

const snake = (name: string): string => name.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The module's names by their snake_case form; null if two names have the same one. */
function twins(names: Iterable<string>): Map<string, string | null> {
  const found = new Map<string, string | null>();
  for (const name of names) found.set(snake(name), found.has(snake(name)) ? null : name);
  return found;
}

/** Loads `state` into `targets`, which holds each tensor under all its names. */
export function loadState(
  targets: readonly (readonly [string, Tensor])[],
  state: Readonly<Record<string, Tensor>>,
  options?: LoadOptions,
): LoadResult {
  const op = "loadStateDict";
  const { strict = true, rename = (name: string) => name } = checkOptions<LoadOptions>(
    op,
    options,
    ["rename"],
    ["strict"],
  );
  if (typeof state !== "object" || state === null || isTensor(state))
    fail(
      "ERR_ARGUMENT",
      op,
      "the state must be an object of tensors by name",
      "what stateDict() gives",
      describe(state),
    );

  needFunction(op, rename);
  const own = new Map(targets);
  const similar = twins(own.keys());
  const values = new Map<Tensor, Tensor>();
  const unexpected: string[] = [];
  const differing: string[] = [];
  const unfit: string[] = [];
  const incoming = Object.entries(state).map(([name, value]) => {
    const given: unknown = rename(name);
    if (typeof given !== "string") fail("ERR_ARGUMENT", op, "rename gave no name", "a string", describe(given));
    return [given, value] as const;
  });
  // Exact matches first, so that a converted name never replaces an exact one.
  const exact = incoming.filter(([name]) => own.has(name));
  for (const [name, value] of [...exact, ...incoming.filter(([name]) => !own.has(name))]) {
    if (!isTensor(value)) fail("ERR_ARGUMENT", op, `${name} is not a tensor`, "a tensor", describe(value));
    const found = own.has(name) ? name : similar.get(snake(name));
    const target = found === undefined || found === null ? undefined : own.get(found);
    if (target === undefined || (values.has(target) && !own.has(name))) unexpected.push(name);
    else if (!sameShape(target.shape, value.shape))
      differing.push(`${name}: expected ${showShape(target.shape)}, got ${showShape(value.shape)}`);
    else if (!values.has(target)) {
      const fitting = target.type.kind === "float" ? value : exactOr(value, target.type);
      if (typeof fitting === "string")
        unfit.push(`${name}: expected ${target.dtype}, got ${fitting} in ${value.dtype}`);
      values.set(target, typeof fitting === "string" ? value : fitting);
    }
  }

  if (differing.length > 0)
    fail("ERR_SHAPE", op, `shapes differ; ${differing.join("; ")}`, undefined, undefined, { differing });
  if (unfit.length > 0)
    fail("ERR_DTYPE", op, `values do not fit; ${unfit.join("; ")}`, undefined, undefined, { unfit });
  const lacking = new Map<Tensor, string>();
  for (const [name, target] of targets) if (!values.has(target) && !lacking.has(target)) lacking.set(target, name);
  const missing = [...lacking.values()];
  if (strict && missing.length + unexpected.length > 0) {
    const parts = [
      missing.length > 0 ? `missing are ${missing.join(", ")}` : "",
      unexpected.length > 0 ? `unexpected are ${unexpected.join(", ")}` : "",
    ];
    const fact = `the names do not fit; ${parts.filter((part) => part !== "").join("; ")}`;
    fail("ERR_ARGUMENT", op, fact, undefined, undefined, { missing, unexpected });
  }
  withGrad(false, () => {
    for (const [target, value] of values) target.assign(value);
  });
  return { missing, unexpected };
}
