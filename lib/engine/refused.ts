/** The errors of calls that native code has refused. */
import * as frame from "../native/frame.js";
import { raise } from "../tensor/handle.js";
import type { Operand, Row } from "./row.js";

/** Throws the status of a call. */
export function refused(row: Row, inputs: readonly Operand[], params: unknown): never {
  const status = frame.status();
  const ofValue = valueCodes.has(frame.layout.codes[status.code]!);
  return raise(
    row.name,
    row.family === "linalg" ? refusedMatrix : changedSince,
    ofValue ? row.refuses?.(params, inputs, status) : undefined,
  );
}

/** With these a kernel refuses a value of an operand. */
const valueCodes: ReadonlySet<string> = new Set(["ERR_INDEX", "ERR_ARGUMENT", "ERR_DTYPE"]);

/** The message for a saved value that was overwritten, naming the op that wrote. */
export function changedSince(detail: number): string | undefined {
  if (frame.layout.codes[frame.status().code] !== "ERR_GRADIENT") return undefined;
  const kernel = frame.kernelNames()[detail] ?? "another op";
  return `a value saved for the gradient was changed since by ${kernel === "identity" ? "assign" : kernel}`;
}

/** The message for a matrix without such a decomposition, naming its index in the batch. */
function refusedMatrix(detail: number): string | undefined {
  if (frame.layout.codes[frame.status().code] !== "ERR_ARGUMENT") return changedSince(detail);
  return `${frame.addon.message()} (matrix ${detail} of the batch)`;
}
