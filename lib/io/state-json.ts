/** States as JSON: trees of tensors, numbers, texts, lists and plain objects. */
import { refuse } from "../core/arguments.js";
import { describe } from "../core/errors.js";
import { deepest, enter, isPlain } from "../core/tree.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import { isReserved } from "./safetensors-header.js";

/** What has a state: modules, optimizers, schedules, loaders, DataParallel, generators, and classes of your own. */
export interface Stateful {
  /** The state: tensors, numbers, bigints, strings, booleans, null, and lists and plain objects of these. */
  stateDict(): unknown;
  /** Restores a state. */
  loadStateDict(state: never): unknown;
}

export const isStateful = (value: unknown): value is Stateful =>
  typeof value === "object" &&
  value !== null &&
  ["stateDict", "loadStateDict"].every((name) => typeof Reflect.get(value, name) === "function");

/** BigInt takes a time that grows with the square of the digits. */
const mostDigits = 10_000;

/** Marks what JSON cannot represent; keys that begin with a $ get another one. */
const marks = { tensor: "$tensor", number: "$number", bigint: "$bigint" } as const;

export interface Encoded {
  readonly json: string;
  /** By name: the keys that lead to the tensor, joined by dots. */
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** ERR_ARGUMENT for what is no state; the error names the place. */
export function encodeState(op: string, state: unknown): Encoded {
  const tensors = new Map<string, Tensor>();
  const names = new Map<Tensor, string>();
  const nameOf = (x: Tensor, path: string): string => {
    const known = names.get(x);
    if (known !== undefined) return known;
    let name = path;
    for (let copy = 2; tensors.has(name) || isReserved(name); copy++) name = `${path}#${copy}`;
    tensors.set(name, x);
    names.set(x, name);
    return name;
  };
  const encode = (value: unknown, path: string, depth: number): unknown => {
    const next = enter(depth);
    const under = (key: string | number): string => (path === "" ? `${key}` : `${path}.${key}`);
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number") {
      if (Object.is(value, -0)) return { [marks.number]: "-0" };
      return Number.isFinite(value) ? value : { [marks.number]: `${value}` };
    }
    if (typeof value === "bigint") {
      const digits = `${value}`;
      if (digits.length > mostDigits) refuse(op, path, `a bigint of at most ${mostDigits} digits`, digits.length);
      return { [marks.bigint]: digits };
    }
    if (isTensor(value)) return { [marks.tensor]: nameOf(value, path) };
    if (isStateful(value)) return encode(value.stateDict(), path, next);
    if (Array.isArray(value)) return Array.from(value, (item, i) => encode(item, under(i), next));
    if (isPlain(value))
      return Object.fromEntries(
        Object.entries(value)
          .filter(([, item]) => item !== undefined)
          .map(([key, item]) => [key.startsWith("$") ? `$${key}` : key, encode(item, under(key), next)]),
      );
    return refuse(op, path === "" ? "the state" : path, "a tensor, plain data, or an object with a stateDict", value);
  };
  return { json: JSON.stringify(encode(state, "", 0)), tensors };
}

/** The state of {@link encodeState}; `bad` is called for any other text. */
export function decodeState(json: string, tensors: ReadonlyMap<string, Tensor>, bad: (fact: string) => never): unknown {
  const marked = (mark: string, content: unknown): unknown => {
    if (typeof content !== "string") return bad(`${mark} without its text`);
    if (mark === marks.tensor) return tensors.get(content) ?? bad(`no tensor "${content}"`);
    if (mark === marks.number && /^(-0|-?Infinity|NaN)$/.test(content)) return Number(content);
    if (mark === marks.bigint && content.length <= mostDigits && /^-?\d+$/.test(content)) return BigInt(content);
    return bad(`"${mark}": ${describe(content)}`);
  };
  const decode = (value: unknown, depth: number): unknown => {
    const next = depth > deepest ? bad("nested too deeply") : depth + 1;
    if (Array.isArray(value)) return value.map((item) => decode(item, next));
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value);
    const [only] = entries;
    if (only !== undefined && entries.length === 1 && /^\$[^$]/.test(only[0])) return marked(...only);
    return Object.fromEntries(
      entries.map(([key, item]) => [key.startsWith("$$") ? key.slice(1) : key, decode(item, next)]),
    );
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    return bad((error as Error).message);
  }
  return decode(parsed, 0);
}
