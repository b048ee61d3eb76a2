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
  override readonly name = "NablaError";
  readonly code: ErrorCode;
  readonly op: string;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, op: string, message: string, details: ErrorDetails = {}) {
    super(message);
    this.code = code;
    this.op = op;
    this.details = details;
  }
}

/** Any function: what `Error.captureStackTrace` accepts as the frame to start below. */
export type StackStart = (...args: never[]) => unknown;

/** `op: fact; expected E, got G`, with the parts that are known. */
export function sentence(op: string, fact: string, expected?: string, got?: string): string {
  const parts = [expected === undefined ? "" : `expected ${expected}`, got === undefined ? "" : `got ${got}`];
  const detail = parts.filter((part) => part !== "").join(", ");
  return detail === "" ? `${op}: ${fact}` : `${op}: ${fact}; ${detail}`;
}

/**
 * Throws a {@link NablaError} whose message is `op: fact; expected E, got G`.
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
  const error = new NablaError(code, op, sentence(op, fact, expected, got), details);
  Error.captureStackTrace(error, from ?? fail);
  throw error;
}
