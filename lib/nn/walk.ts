/** Finds what a module holds: its own properties in the order of their declaration, through what only groups values. */
import { types } from "node:util";
import { foreignKind } from "../core/copy.js";
import { describe, fail } from "../core/errors.js";
import { isPlain } from "../core/tree.js";
import { Buffer, Parameter } from "./parameter.js";

/** @internal Names and values a container gives instead of its own properties. */
export const members: unique symbol = Symbol("members");

/** @internal A module's own properties, some under other names: those of PyTorch's state dictionaries. */
export const renamed = (module: object, names: Readonly<Record<string, string>>): [string, unknown][] =>
  Object.entries(module).map(([name, value]) => [names[name] ?? name, value]);

/** What this walk knows about a module. */
export interface Holder {
  [members](): Iterable<readonly [string, unknown]>;
}

const isHolder = (value: unknown): value is Holder => typeof value === "object" && value !== null && members in value;

/** An array, an object literal, a map or a set: something that only groups. */
export type Group = readonly unknown[] | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> | Record<string, unknown>;

export const isGroup = (value: unknown): value is Group =>
  Array.isArray(value) || types.isMap(value) || types.isSet(value) || isPlain(value);

/** ERR_ARGUMENT for a module or tensor of another copy of the library: its parameters would go unseen. */
function refuseForeign(name: string, value: unknown): void {
  const kind = foreignKind(value);
  if (kind === "Module" || kind === "Tensor")
    fail("ERR_ARGUMENT", "Module", `${name} is not valid`, `a ${kind} of this copy of nabla`, describe(value));
}

/** What a group holds, by name: the key, or the position in a set and where the key is neither a string nor a number. */
function namedIn(path: string, group: Group): Iterable<readonly [string, unknown]> {
  if (types.isSet(group)) return [...group].map((value, i) => [String(i), value]);
  if (!types.isMap(group)) return Object.entries(group);
  const named = new Map<string, unknown>();
  for (const [key, value] of group) {
    if (typeof value !== "object" || value === null) continue;
    const name = String(typeof key === "string" || typeof key === "number" ? key : named.size);
    if (named.has(name))
      fail("ERR_ARGUMENT", "Module", `two keys of the map ${path} give one name`, "distinct names", name);
    named.set(name, value);
  }
  return named;
}

/** The parameters, buffers and modules directly in a module, named by their path in it. */
export function* held(holder: Holder): Generator<[string, Parameter | Buffer | Holder]> {
  const open = new Set<unknown>();
  function* look(name: string, value: unknown): Generator<[string, Parameter | Buffer | Holder]> {
    if (value instanceof Parameter || value instanceof Buffer || isHolder(value)) yield [name, value];
    else if (isGroup(value) && !open.has(value)) {
      open.add(value);
      for (const [key, inner] of namedIn(name, value)) yield* look(`${name}.${key}`, inner);
      open.delete(value);
    } else refuseForeign(name, value);
  }
  for (const [name, value] of holder[members]()) yield* look(name, value);
}

/**
 * A module and everything below it in order of declaration, with its path; a module that occurs more than once is entered
 * the first time only, unless all paths are asked for.
 */
export function* walk(root: Holder, allPaths = false): Generator<[string, Parameter | Buffer | Holder]> {
  const entered = new Set<Holder>();
  function* visit(path: string, holder: Holder): Generator<[string, Parameter | Buffer | Holder]> {
    if (entered.has(holder)) return;
    entered.add(holder);
    yield [path, holder];
    for (const [name, value] of held(holder)) {
      const inner = path === "" ? name : `${path}.${name}`;
      if (isHolder(value)) yield* visit(inner, value);
      else yield [inner, value];
    }
    // A module inside itself is never entered again; elsewhere it may be, under another path.
    if (allPaths) entered.delete(holder);
  }
  yield* visit("", root);
}
