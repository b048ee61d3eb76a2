/**
 * Finds a module's contents: its own properties in declaration order, also inside groups (arrays, plain objects, maps,
 * sets).
 */

import { refuse } from "../core/arguments.js";
import { foreignKind } from "../core/copy.js";
import { fail } from "../core/errors.js";
import { types } from "../core/node.js";
import { isPlain } from "../core/tree.js";
import { Buffer, Parameter } from "./parameter.js";

/** @internal The names and values that a container lists instead of its own properties. */
export const members: unique symbol = Symbol("members");

/** @internal A module's own properties, some renamed to the names in PyTorch's state dictionaries. */
export const renamed = (module: object, names: Readonly<Record<string, string>>): [string, unknown][] =>
  Object.entries(module).map(([name, value]) => [names[name] ?? name, value]);

/** What the walk needs of a module. */
export interface Holder {
  [members](): Iterable<readonly [string, unknown]>;
}

const isHolder = (value: unknown): value is Holder => typeof value === "object" && value !== null && members in value;

/** An array, a plain object, a map or a set, which only group values. */
export type Group = readonly unknown[] | ReadonlyMap<unknown, unknown> | ReadonlySet<unknown> | Record<string, unknown>;

export const isGroup = (value: unknown): value is Group =>
  Array.isArray(value) || types.isMap(value) || types.isSet(value) || isPlain(value);

/** ERR_ARGUMENT for a module or tensor of another copy of the library, whose parameters would be missed. */
function refuseForeign(name: string, value: unknown): void {
  const kind = foreignKind(value);
  if (kind === "Module" || kind === "Tensor") refuse("Module", name, `a ${kind} of this copy of nabla`, value);
}

/**
 * The entries of a group by name: the key, or the position in a set or for a key that is neither a string nor a number.
 */
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

/** The parameters, buffers and modules directly in a module, by path. */
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
 * A module and everything below it in declaration order, with paths; a module that occurs more than once is entered
 * only the first time, unless all paths are requested.
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
    // A module inside itself is never entered again; one that occurs elsewhere may be, under another path.
    if (allPaths) entered.delete(holder);
  }
  yield* visit("", root);
}
