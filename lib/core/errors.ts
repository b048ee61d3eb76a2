import { describeCopy } from "./copy.js";

/** What went wrong, as a word a program can test. */
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
 * The one error nabla throws for bad input.
 *
 * `code` says what kind of mistake it was, `op` which public function refused it, `details` holds the values the
 * message was made of. Errors of other layers keep their own class: a missing file stays Node's ENOENT.
 *
 * @example
 * try {
 *   a.matmul(b);
 * } catch (error) {
 *   if (error instanceof NablaError && error.code === "ERR_SHAPE") console.error(error.message);
 * }
 */
export class NablaError extends Error {
  readonly code: ErrorCode;
  readonly op: string;
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
// Outside of the class: esbuild would call one that names itself inside _NablaError. Defined, as Error.prototype may be frozen.
Object.defineProperty(NablaError.prototype, "name", { value: "NablaError", configurable: true, writable: true });

/** A detail as JSON can hold it: what is neither a short list nor a record of such is described. */
function plain(value: unknown, depth = 0): unknown {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (depth < 3 && Array.isArray(value) && value.length <= 100) return value.map((item) => plain(item, depth + 1));
  if (depth < 3 && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, depth + 1)]));
  return describe(value);
}

/** Sets how many frames a stack keeps. Where Error is frozen it keeps as many as before. */
export const setStackLimit = (limit: number): void => {
  Reflect.set(Error, "stackTraceLimit", limit);
};

/** At most so many of the package's own frames lie above the user's. */
const ownFrames = 40;

/** Any function or class: what `Error.captureStackTrace` accepts as the frame to start below. */
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
  // Frames of the package are taken off: they must not use up what is kept.
  setStackLimit(limit + ownFrames);
  const error = new NablaError(code, op, sentence(op, fact, expected, got), filled(expected, got, details));
  Error.captureStackTrace(error, from ?? fail);
  // A `from` that is not on the stack would leave no frame at all.
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

/** Runs what an op is made of: errors from there bear the name of the op that the user called. */
export function named<T>(op: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw renamed(error, op);
  }
}

/** An error, under the name of the op that the user called where it is one of the package's. */
export function renamed(error: unknown, op: string): unknown {
  if (!(error instanceof NablaError) || error.op === op) return error;
  const { message } = error;
  error.message = op + message.slice(error.op.length);
  const { stack } = error;
  if (stack !== undefined) error.stack = stack.replace(message, () => error.message);
  (error as { op: string }).op = op;
  return error;
}

const own = import.meta.url.slice(0, import.meta.url.lastIndexOf("/") + 1);

/** Whether a line of a stack is a place in the package. */
export const isOwn = (line: string): boolean => line.includes(own);

/** Takes the package's own frames off the top of the stack, so that it starts at the user's line. */
export function startAtUser(error: Error): void {
  const lines = error.stack?.split("\n") ?? [];
  const first = lines.findIndex((line) => line.startsWith("    at "));
  let user = first;
  while (user >= 0 && user < lines.length && isOwn(lines[user]!)) user++;
  if (first >= 0 && user < lines.length) error.stack = [...lines.slice(0, first), ...lines.slice(user)].join("\n");
}

/** The integers from `low` to `high` as a message names what was expected, which count `what`. */
export function showBounds(low: number, high: number, what = "element"): string {
  if (high < low) return `none, as there is no ${what}`;
  if (high === Number.POSITIVE_INFINITY) return `at least ${low}`;
  return high === low ? String(low) : `${low} to ${high}`;
}

/** A refused value as it reads in a message: short, on one line, unambiguous about its type. */
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
