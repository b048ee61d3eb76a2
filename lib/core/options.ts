import { foreignKind } from "./copy.js";
import { describe, fail, type StackStart } from "./errors.js";

/** The number of single-letter edits (a swap of neighbors counts as one) that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, beforeLast[j - 2]! + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/** The known name closest to `name`, ignoring case and underscores, or undefined when none resembles it. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = (word: string) => word.toLowerCase().replaceAll("_", "");
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const distance = editDistance(plain(name), plain(candidate));
    if (distance < bestDistance && distance <= Math.max(1, Math.ceil(candidate.length / 3))) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

const none = Object.freeze({});

/** The names of boolean options, and those of all others. */
export type Flags<T> = { [K in keyof T & string]: NonNullable<T[K]> extends boolean ? K : never }[keyof T & string];
export type Settings<T> = Exclude<keyof T & string, Flags<T>>;

/**
 * Checks a trailing options object and returns what it holds, read once: what was checked is what is used, even for a
 * Proxy. `undefined` gives an empty object.
 * A name that is neither in `known` nor in `flags` is ERR_ARGUMENT that suggests the nearest one; so is a flag that is not
 * a boolean. The types have every boolean option named as a flag.
 *
 * @example
 * const { dim, keepdim = false } = checkOptions("sum", options, ["dim"], ["keepdim"]);
 */
export function checkOptions<T extends object>(
  op: string,
  options: T | undefined,
  known: readonly Settings<T>[],
  flags: readonly Flags<T>[] = [],
  from: StackStart = checkOptions,
): Partial<T> {
  if (options === undefined) return none;
  if (typeof options !== "object" || options === null || Array.isArray(options) || foreignKind(options) !== undefined) {
    const expected = known.length + flags.length === 0 ? "none" : `{ ${[...known, ...flags].join(", ")} }`;
    fail("ERR_ARGUMENT", op, "options must be an object", expected, describe(options), { options }, from);
  }
  const held: Partial<T> = {};
  for (const name of known) {
    const value = options[name];
    if (value !== undefined) held[name] = value;
  }
  for (const name of flags) {
    const value = options[name];
    if (value === undefined) continue;
    if (typeof value !== "boolean")
      fail("ERR_ARGUMENT", op, `${name} is not valid`, "a boolean", describe(value), { argument: name }, from);
    held[name] = value;
  }
  for (const name in options) {
    if ((known as readonly string[]).includes(name) || (flags as readonly string[]).includes(name)) continue;
    // Ignores keys of Object.prototype, which every object inherits.
    if (name in Object.prototype && !Object.hasOwn(options, name)) continue;
    const all = [...known, ...flags];
    const guess = nearest(name, all);
    const hint = guess === undefined ? "" : ` (did you mean "${guess}"?)`;
    const expected = all.length === 0 ? "no options" : all.join(", ");
    const details = { option: name, known: all, suggestion: guess };
    fail("ERR_ARGUMENT", op, `unknown option "${name}"${hint}`, expected, undefined, details, from);
  }
  return held;
}

/** The keys of a table. */
export const keysOf = <T extends object>(table: T): (keyof T & string)[] => Object.keys(table) as (keyof T & string)[];

/** Whether a value is the name of something in a table. */
export const isNameIn = <T extends object>(table: T, name: unknown): name is keyof T & string =>
  typeof name === "string" && Object.hasOwn(table, name);

/** The values of an array, set or other iterable object; ERR_ARGUMENT for anything else. */
export function needList<T>(op: string, what: string, values: Iterable<T>, expected: string): T[] {
  if (Array.isArray(values)) return Array.from({ length: values.length }, (_, i) => values[i] as T);
  const refuse = (): never => fail("ERR_ARGUMENT", op, `${what} must be an array`, expected, describe(values));
  const start: unknown = isObject(values) && !ArrayBuffer.isView(values) ? Reflect.get(values, Symbol.iterator) : null;
  if (typeof start !== "function") return refuse();
  const iterator: unknown = Reflect.apply(start, values, []);
  const next: unknown = isObject(iterator) ? Reflect.get(iterator, "next") : null;
  if (typeof next !== "function") return refuse();
  const list: T[] = [];
  for (;;) {
    const step: unknown = Reflect.apply(next, iterator, []);
    if (!isObject(step)) return refuse();
    const { done, value } = step as { readonly done?: unknown; readonly value?: unknown };
    if (done) return list;
    list.push(value as T);
  }
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
