/** Errors across threads: structured clone keeps neither the class nor the code of an error. */
import { type ErrorCode, type ErrorDetails, NablaError } from "../core/errors.js";

/** A thrown error, or other value, as plain data. */
export type PackedError =
  | {
      readonly name: string;
      readonly message: string;
      readonly stack: string | undefined;
      readonly own: Readonly<Record<string, unknown>>;
      readonly cause: PackedError | undefined;
    }
  | { readonly thrown: unknown };

function cloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

const cloneableEntries = (value: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([, item]) => cloneable(item)));

/** The maximum depth of nested causes. */
const CAUSES = 8;

export function packError(error: unknown, depth = 0): PackedError {
  if (!(error instanceof Error)) return { thrown: cloneable(error) ? error : String(error) };
  const own = cloneableEntries(error);
  if (error instanceof NablaError) own["details"] = cloneableEntries(error.details);
  const { name, message, stack, cause } = error;
  return {
    // A subclass without a name of its own inherits one.
    name: name === "Error" ? error.constructor.name : name,
    message,
    stack,
    own,
    cause: cause === undefined || depth === CAUSES ? undefined : packError(cause, depth + 1),
  };
}

const builtIn: Readonly<Record<string, new (message: string) => Error>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** Rebuilds the error: NablaError and built-in errors by class, others as an Error with that name. */
export function unpackError(packed: PackedError): unknown {
  if ("thrown" in packed) return packed.thrown;
  const { name, message, stack, own, cause } = packed;
  const error =
    name === "NablaError"
      ? new NablaError(own["code"] as ErrorCode, String(own["op"]), message, own["details"] as ErrorDetails)
      : new (builtIn[name] ?? Error)(message);
  if (error.name !== name) Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  if (!(error instanceof NablaError)) Object.assign(error, own);
  if (stack !== undefined) Object.defineProperty(error, "stack", { value: stack, configurable: true, writable: true });
  if (cause !== undefined)
    Object.defineProperty(error, "cause", { value: unpackError(cause), configurable: true, writable: true });
  return error;
}
