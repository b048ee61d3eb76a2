/** Checks of arguments, all with one wording: "lr is not valid; expected a finite number of at least 0, got -1". */
import { describe, fail, showBounds } from "./errors.js";
import { types } from "./node.js";

/** The range of a number. */
export interface Range {
  readonly least?: number;
  readonly above?: number;
  readonly most?: number;
  readonly below?: number;
}

function inRange(x: number, { least, above, most, below }: Range): boolean {
  return (
    (least === undefined || x >= least) &&
    (above === undefined || x > above) &&
    (most === undefined || x <= most) &&
    (below === undefined || x < below)
  );
}

function rangeText(kind: string, { least, above, most, below }: Range): string {
  if (least !== undefined && most !== undefined) return `${kind} from ${least} to ${most}`;
  const low = least !== undefined ? `of at least ${least}` : above !== undefined ? `above ${above}` : "";
  const high = most !== undefined ? `of at most ${most}` : below !== undefined ? `below ${below}` : "";
  const both = [low, high].filter((part) => part !== "").join(" and ");
  return both === "" ? kind : `${kind} ${both}`;
}

/** ERR_ARGUMENT for a value of the right type that is not one of those allowed. */
export function refuse(op: string, what: string, expected: string, x: unknown): never {
  return fail("ERR_ARGUMENT", op, `${what} is not valid`, expected, describe(x), { argument: what });
}

/** The position from 0 of element `i`, which is counted from the end if it is negative; ERR_INDEX if there is none. */
export function needPlace(op: string, what: string, i: number, length: number): number {
  const at = Number.isSafeInteger(i) && i < 0 ? i + length : i;
  if (Number.isSafeInteger(at) && at >= 0 && at < length) return at;
  return fail("ERR_INDEX", op, `no such ${what}`, showBounds(-length, length - 1, what), describe(i));
}

/** ERR_ARGUMENT unless the value is a number, in the range, and not NaN. */
export function needNumber(op: string, what: string, x: unknown, range?: Range): number {
  if (typeof x === "number" && !Number.isNaN(x) && (range === undefined || inRange(x, range))) return x;
  return refuse(op, what, rangeText("a number", range ?? {}), x);
}

/** ERR_ARGUMENT unless the value is a finite number in the range. */
export function needFinite(op: string, what: string, x: unknown, range: Range = {}): number {
  if (typeof x === "number" && Number.isFinite(x) && inRange(x, range)) return x;
  return refuse(op, what, rangeText("a finite number", range), x);
}

const share: Range = { least: 0, most: 1 };

/** ERR_ARGUMENT unless the value is a number from 0 to 1. */
export const needShare = (op: string, what: string, x: unknown): number => needNumber(op, what, x, share);

/** ERR_ARGUMENT unless the value is an integer of at least `least`. */
export function needInteger(op: string, what: string, x: unknown, least = Number.MIN_SAFE_INTEGER): number {
  if (typeof x === "number" && Number.isSafeInteger(x) && x >= least) return x;
  return refuse(op, what, rangeText("an integer", least === Number.MIN_SAFE_INTEGER ? {} : { least }), x);
}

/** ERR_ARGUMENT unless the value is true or false. */
export function needBoolean(op: string, what: string, x: unknown): boolean {
  return typeof x === "boolean" ? x : refuse(op, what, "a boolean", x);
}

/** ERR_ARGUMENT unless the value is one of these texts. */
export function needChoice<T extends string>(op: string, what: string, x: unknown, choices: readonly T[]): T {
  if (choices.includes(x as T)) return x as T;
  const quoted = choices.map((choice) => `"${choice}"`);
  return refuse(op, what, [quoted.slice(0, -1).join(", "), quoted.at(-1)].join(" or "), x);
}

/** ERR_ARGUMENT unless the value is a function. */
export function needFunction(op: string, f: unknown, what = "the function"): void {
  if (typeof f !== "function") refuse(op, what, "a function", f);
}

const ignore = (): void => undefined;

/** ERR_ARGUMENT for a promise: the mode that `op` has set is restored before the work is done. */
export function synchronous<T>(op: string, result: T): T {
  if (typeof (result as { then?: unknown } | null | undefined)?.then !== "function") return result;
  // The promise is dropped: handles its rejection, which would end the process.
  if (types.isPromise(result)) Promise.prototype.then.call(result, undefined, ignore);
  return fail("ERR_ARGUMENT", op, "the function must be synchronous", "a value", "a promise");
}
