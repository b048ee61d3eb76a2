import { describeCopy } from "./copy.js";

/** The kind of an error, which programs can test. */
export type ErrorCode =
  | "ERR_SHAPE"
  | "ERR_DTYPE"
  | "ERR_AXIS"
  | "ERR_ARGUMENT"
  | "ERR_INDEX"
  | "ERR_DISPOSED"
  | "ERR_GRADIENT"
  | "ERR_TRACE"
  | "ERR_MEMORY"
  | "ERR_FORMAT"
  | "ERR_WORKER"
  | "ERR_NATIVE";

export type ErrorDetails = Readonly<Record<string, unknown>>;

/**
 * The error that nabla throws for invalid input. `code` is the kind of error, `op` the public function that was called,
 * `details` the values in the message. Errors of Node keep their class: a missing file is an ENOENT error.
 * @example
 * try {
 *   a.matmul(b);
 * } catch (error) {
 *   if (error instanceof NablaError && error.code === "ERR_SHAPE") console.error(error.message);
 * }
 */
export class NablaError extends Error {
  /** The kind of error. */
  readonly code: ErrorCode;
  /** The public function that was called. */
  op: string;
  /** The values in the message. */
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, op: string, message: string, details: ErrorDetails = {}) {
    super(message);
    this.code = code;
    this.op = op;
    this.details = details;
  }

  /** Name, code, op, message and details as plain data: what `JSON.stringify` writes. */
  toJSON(): Record<string, unknown> {
    const { name, code, op, message, details } = this;
    return { name, code, op, message, details: plain(details) };
  }
}
// Set outside the class, because esbuild renames a class that refers to itself; by defineProperty, because
// Error.prototype may be frozen.
Object.defineProperty(NablaError.prototype, "name", { value: "NablaError", configurable: true, writable: true });

/** A detail as JSON; values that JSON cannot represent, and long arrays, are described in words. */
function plain(value: unknown, depth = 0): unknown {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (depth < 3 && Array.isArray(value) && value.length <= 100) return value.map((item) => plain(item, depth + 1));
  if (depth < 3 && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, depth + 1)]));
  return describe(value);
}

/** Sets Error.stackTraceLimit, unless Error is frozen. */
export const setStackLimit = (limit: number): void => {
  Reflect.set(Error, "stackTraceLimit", limit);
};

/** The maximum number of the package's own frames above the user's. */
const ownFrames = 40;

/** Any function or class, as `Error.captureStackTrace` takes it. */
export type StackStart = ((...args: never[]) => unknown) | (abstract new (...args: never[]) => unknown);

/** `op: fact; expected E, got G`, with the parts that are known. */
export function sentence(op: string, fact: string, expected?: string, got?: string): string {
  const parts = [expected === undefined ? "" : `expected ${expected}`, got === undefined ? "" : `got ${got}`];
  const detail = parts.filter((part) => part !== "").join(", ");
  return detail === "" ? `${op}: ${fact}` : `${op}: ${fact}; ${detail}`;
}

/**
 * Throws a {@link NablaError} whose message is `op: fact; expected E, got G`; E and G are among its details.
 * With `from`, the public function the user called, the stack starts at the user's own line.
 */
export function fail(
  code: ErrorCode,
  op: string,
  fact: string,
  expected?: string,
  got?: string,
  details?: ErrorDetails,
  from?: StackStart,
): never {
  const limit = Error.stackTraceLimit;
  // Captures more frames than wanted, because those of the package are removed.
  setStackLimit(limit + ownFrames);
  const error = new NablaError(code, op, sentence(op, fact, expected, got), filled(expected, got, details));
  Error.captureStackTrace(error, from ?? fail);
  // If `from` is not on the stack, all frames would be removed.
  if (from !== undefined && !error.stack?.includes("\n    at ")) Error.captureStackTrace(error, fail);
  setStackLimit(limit);
  startAtUser(error);
  throw error;
}

/** The details, with what was expected and what was got where these are known. */
const filled = (expected: string | undefined, got: string | undefined, details: ErrorDetails = {}): ErrorDetails => ({
  ...(expected === undefined ? {} : { expected }),
  ...(got === undefined ? {} : { got }),
  ...details,
});

/** Runs the parts of a composed op: their errors name the op that the user called. */
export function named<T>(op: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw renamed(error, op);
  }
}

/** Renames an error of the package to the op that the user called. */
export function renamed(error: unknown, op: string): unknown {
  if (!(error instanceof NablaError) || error.op === op) return error;
  const { message } = error;
  error.message = op + message.slice(error.op.length);
  const { stack } = error;
  if (stack !== undefined) error.stack = stack.replace(message, () => error.message);
  error.op = op;
  return error;
}

const own = import.meta.url.slice(0, import.meta.url.lastIndexOf("/") + 1);

/** Whether a line of a stack trace is in the package. */
export const isOwn = (line: string): boolean => line.includes(own);

/** Removes the package's own frames from the top of the stack, so that it starts at the user's line. */
export function startAtUser(error: Error): void {
  const lines = error.stack?.split("\n") ?? [];
  const first = lines.findIndex((line) => line.startsWith("    at "));
  let user = first;
  while (user >= 0 && user < lines.length && isOwn(lines[user]!)) user++;
  if (first >= 0 && user < lines.length) error.stack = [...lines.slice(0, first), ...lines.slice(user)].join("\n");
}

/** A range of integers `low` to `high`, in the words of a message. */
export function showBounds(low: number, high: number, what = "element"): string {
  if (high < low) return `none, as there is no ${what}`;
  if (high === Number.POSITIVE_INFINITY) return `at least ${low}`;
  return high === low ? String(low) : `${low} to ${high}`;
}

/** A refused value in a message: short, on one line, with its type. */
export function describe(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return value.name === "" ? "a function" : `function ${value.name}`;
  if (Object.is(value, -0)) return "-0";
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) {
    const short = value.length <= 8 && !value.some(Array.isArray);
    return short ? `[${value.map(describe).join(", ")}]` : `an array of ${value.length}`;
  }
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name;
  const noun = typeof name === "string" && name !== "" && name !== "Object" ? `a ${name}` : "an object";
  const copy = describeCopy(value);
  return copy === undefined ? noun : `${noun} of ${copy}`;
}
