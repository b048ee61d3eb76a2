/** Equality of tensors, and of structures that contain them, for tests. */
import { needNumber } from "../core/arguments.js";
import { describe, type ErrorCode, fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { sameShape, showIndex, showShape } from "../core/shape.js";
import { enter, isPlain } from "../core/tree.js";
import { isTensor, type Tensor } from "./tensor.js";

export interface AssertEqualOptions {
  /** The tolerance: `|a - b| <= tolerance * max(1, |b|)`. Default 0. */
  readonly tolerance?: number | undefined;
}

interface Difference {
  readonly code: ErrorCode;
  /** The path, such as `.layers[0]`; empty for the root. */
  readonly path: string;
  readonly what: string;
  readonly expected: string;
  readonly got: string;
}

const near = (a: number | bigint, b: number | bigint, tolerance: number): boolean => {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  const [x, y] = [Number(a), Number(b)];
  return Number.isFinite(x) && Number.isFinite(y) && Math.abs(x - y) <= tolerance * Math.max(1, Math.abs(y));
};

function betweenTensors(a: Tensor, b: Tensor, tolerance: number, path: string): Difference | undefined {
  if (a === b) return undefined;
  if (!sameShape(a.shape, b.shape))
    return {
      code: "ERR_SHAPE",
      path,
      what: "the shapes differ",
      expected: showShape(b.shape),
      got: showShape(a.shape),
    };
  if (a.type !== b.type) return { code: "ERR_DTYPE", path, what: "the dtypes differ", expected: b.dtype, got: a.dtype };
  const x = a.toTypedArray();
  const y = b.toTypedArray();
  for (let i = 0; i < x.length; i++)
    if (!near(x[i]!, y[i]!, tolerance)) {
      const what = a.ndim === 0 ? "the values differ" : `the elements at ${showIndex(i, a.shape)} differ`;
      return { code: "ERR_ARGUMENT", path, what, expected: String(y[i]), got: String(x[i]) };
    }
  return undefined;
}

function differing(a: unknown, b: unknown, tolerance: number, path = "", depth = 0): Difference | undefined {
  const next = enter(depth);
  const wrong = (what: string, expected = describe(b), got = describe(a)): Difference => ({
    code: "ERR_ARGUMENT",
    path,
    what,
    expected,
    got,
  });
  if (isTensor(a) && isTensor(b)) return betweenTensors(a, b, tolerance, path);
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return wrong("the lengths differ", String(b.length), String(a.length));
    for (let i = 0; i < a.length; i++) {
      const found = differing(a[i], b[i], tolerance, `${path}[${i}]`, next);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (isPlain(a) && isPlain(b)) {
    const keys = Object.keys(b);
    const odd = [...keys, ...Object.keys(a)].find((key) => !(Object.hasOwn(a, key) && Object.hasOwn(b, key)));
    if (odd !== undefined)
      return wrong(`only one has the key ${describe(odd)}`, keys.join(", "), Object.keys(a).join(", "));
    for (const key of keys) {
      const found = differing(a[key], b[key], tolerance, `${path}.${key}`, next);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const numbers = typeof a === "number" && typeof b === "number";
  return (numbers && near(a, b, tolerance)) || Object.is(a, b) ? undefined : wrong("the values differ");
}

/**
 * Throws if two values differ: tensors are compared by shape, dtype and elements, arrays and plain objects recursively,
 * everything else by `Object.is`. In tensors, NaN equals NaN, and 0 equals -0. The message has the path of the first
 * difference.
 * @throws ERR_SHAPE or ERR_DTYPE if tensors differ in these; ERR_ARGUMENT for every other difference.
 * @example
 * assertEqual({ w: tensor([1, 2]), step: 3 }, { w: tensor([1, 2 + 1e-7]), step: 3 }, { tolerance: 1e-6 });
 */
export function assertEqual(actual: unknown, expected: unknown, options?: AssertEqualOptions): void {
  const { tolerance = 0 } = checkOptions<AssertEqualOptions>("assertEqual", options, ["tolerance"]);
  needNumber("assertEqual", "the tolerance", tolerance, { least: 0 });
  const found = differing(actual, expected, tolerance);
  if (found === undefined) return;
  const { code, path, what } = found;
  const where = path === "" ? "" : ` at ${path}`;
  fail(code, "assertEqual", `${what}${where}`, found.expected, found.got, { path }, assertEqual);
}

/**
 * A tester for `expect.addEqualityTesters([tensorEquality])` in Vitest and Jest: `toEqual`, `toStrictEqual` and related
 * matchers then compare tensors by shape, dtype and elements, also inside arrays and objects. NaN equals NaN, and 0
 * equals -0. Returns undefined if neither value is a tensor.
 * @example
 * tensorEquality(tensor([1, 2]), tensor([1, 2])); // true
 */
export function tensorEquality(a: unknown, b: unknown): boolean | undefined {
  if (!isTensor(a) && !isTensor(b)) return undefined;
  return isTensor(a) && isTensor(b) && betweenTensors(a, b, 0, "") === undefined;
}
