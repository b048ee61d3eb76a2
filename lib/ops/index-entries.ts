/** The entries of an index, and the parser for its strings. */
import { refuse } from "../core/arguments.js";
import { brand } from "../core/copy.js";
import { describe, fail } from "../core/errors.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";

/**
 * A slice, as `start:stop:step` in Python: negative bounds count from the end, and bounds are clipped to the size.
 * @throws ERR_ARGUMENT for a bound that is not an integer, or a step of 0.
 * @example new Slice(1, 5, 2).step; // 2
 */
export class Slice {
  /** The first index; default 0, or the last index for a negative step. */
  readonly start: number | undefined;
  /** The index before which the slice ends; default the end in the direction of the step. */
  readonly stop: number | undefined;
  /** The distance between elements; default 1. A negative one reverses. */
  readonly step: number;
  constructor(start?: number, stop?: number, step = 1) {
    for (const bound of [start, stop, step])
      if (bound !== undefined && !Number.isInteger(bound)) refuse("slice", "a bound", "an integer", bound);
    if (step === 0) fail("ERR_ARGUMENT", "slice", "the step must not be 0");
    this.start = start;
    this.stop = stop;
    this.step = step;
  }
}

brand("other", Slice);

/**
 * A slice for `x.at(...)`.
 * @throws as {@link Slice}.
 * @example tensor([5, 6, 7]).at(slice(1, 3)).toArray(); // [6, 7]
 */
export const slice = (start?: number, stop?: number, step?: number): Slice => new Slice(start, stop, step);

/**
 * One entry per dimension: a position, a slice, null for a new dimension, an array or tensor of indices, or a mask. A
 * string holds several positions and slices: `"..., 1:3, ::-1"`.
 */
export type Index = number | string | null | Slice | Tensor | readonly number[] | readonly boolean[];

/** @internal The entries of a string. */
export type Entry = number | null | Slice | List;
/** @internal An entry with indices or a mask, which copies. */
export type List = Tensor | readonly number[] | readonly boolean[];

const ellipsis = Symbol("...");

/** Parses a string of entries; error messages point at the character. */
function parse(op: string, text: string): (Entry | typeof ellipsis)[] {
  const entries: (Entry | typeof ellipsis)[] = [];
  let at = 0;
  const wrong = (position: number): never =>
    fail(
      "ERR_ARGUMENT",
      op,
      `bad index string at character ${position + 1}: ${JSON.stringify(text)}`,
      'entries such as "1", "1:3", "::-1", "...", "null"',
      undefined,
      { position },
    );
  for (const part of text.split(",")) {
    const trimmed = part.trim();
    const first = at + part.length - part.trimStart().length;
    const found = /^(?:(\.\.\.)|(null)|(-?\d+)|(-?\d+)?:(-?\d+)?(?::(-?\d+)?)?)$/.exec(
      trimmed.replace(/\s*:\s*/g, ":"),
    );
    if (found === null) {
      const good = /^[\s\d:.-]*/.exec(trimmed)![0].length;
      wrong(first + Math.min(good, Math.max(trimmed.length - 1, 0)));
    } else if (found[1] !== undefined) entries.push(ellipsis);
    else if (found[2] !== undefined) entries.push(null);
    else if (found[3] !== undefined) entries.push(Number(found[3]));
    else {
      const bound = (digits: string | undefined) => (digits === undefined ? undefined : Number(digits));
      if (found[6] === "0") wrong(first + trimmed.lastIndexOf("0"));
      entries.push(new Slice(bound(found[4]), bound(found[5]), bound(found[6]) ?? 1));
    }
    at += part.length + 1;
  }
  return entries;
}

/** The number of input dimensions that an entry consumes. */
const taken = (entry: Entry): number =>
  entry === null ? 0 : isTensor(entry) && entry.dtype === "bool" ? entry.ndim : 1;

const isEntry = (value: unknown): boolean =>
  value === null || typeof value === "number" || value instanceof Slice || isTensor(value) || Array.isArray(value);

/** @internal The entries of an index into `rank` dimensions, with an ellipsis expanded to slices. */
export function entriesOf(op: string, index: readonly Index[], rank: number): Entry[] {
  const before: Entry[] = [];
  const after: Entry[] = [];
  let entries = before;
  for (const given of index)
    for (const entry of typeof given === "string" ? parse(op, given) : [given]) {
      if (entry !== ellipsis) {
        if (!isEntry(entry))
          fail("ERR_ARGUMENT", op, "not an index", "a number, string, null, slice, list or tensor", describe(entry));
        entries.push(entry);
      } else if (entries === after) fail("ERR_ARGUMENT", op, "more than one ellipsis", 'at most one "..."');
      else entries = after;
    }
  let used = 0;
  for (const entry of before) used += taken(entry);
  for (const entry of after) used += taken(entry);
  if (used > rank) fail("ERR_INDEX", op, "too many indices", `at most ${rank}`, String(used));
  if (entries === after) for (let i = used; i < rank; i++) before.push(whole);
  return after.length === 0 ? before : [...before, ...after];
}

const whole = new Slice();
