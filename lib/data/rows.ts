import { describe, fail } from "../core/errors.js";
import { atSample } from "./sample.js";

/** Rows one after the other, and where they can, a way to go on in their middle. */
export type Seekable<T> = (AsyncIterable<T> | Iterable<T>) & {
  /** Plain data that says which row comes next. */
  position?(): unknown;
  /** Goes to what `position` said. Called before the first row is read. */
  seek?(position: unknown): void | Promise<void>;
};

const ignore = (): void => undefined;
const isFunction = (value: unknown): value is (...args: never[]) => unknown => typeof value === "function";

/** The rows of an epoch, as they are read. */
export class Rows<T> {
  /** How many have been read, or skipped. */
  count = 0;
  private readonly op: string;
  private readonly source: Seekable<T>;
  private readonly iterator: AsyncIterator<T> | Iterator<T>;
  private ended = false;
  private waiting = false;

  private constructor(op: string, source: Seekable<T>, iterator: AsyncIterator<T> | Iterator<T>) {
    this.op = op;
    this.source = source;
    this.iterator = iterator;
  }

  /** The rows that a factory makes; ERR_ARGUMENT if they are none. */
  static async open<T, E>(op: string, factory: (epoch: E) => Seekable<T> | Promise<Seekable<T>>, epoch: E) {
    const source = await factory(epoch);
    const known = (typeof source === "object" && source !== null) || typeof source === "function";
    const start: unknown = known
      ? (Reflect.get(source, Symbol.asyncIterator) ?? Reflect.get(source, Symbol.iterator))
      : null;
    const iterator: unknown = isFunction(start) ? Reflect.apply(start, source, []) : null;
    if (typeof iterator !== "object" || iterator === null || !isFunction(Reflect.get(iterator, "next")))
      return fail(
        "ERR_ARGUMENT",
        op,
        "the factory gives no rows",
        "an async iterable, iterable or stream",
        describe(source),
      );
    return new Rows<T>(op, source, iterator as AsyncIterator<T>);
  }

  /** Goes on after so many rows, which have been used before: to the position after them, or by reading them. */
  async skip(rows: number, position: unknown): Promise<void> {
    if (rows === 0) return;
    if (position !== null && isFunction(this.source.seek)) {
      await this.source.seek(position);
      this.count = rows;
      return;
    }
    process.emitWarning(`${this.op}: the rows cannot seek; the ${rows} before this position are read and dropped`);
    for (let i = 0; i < rows; i++) {
      const { done } = await this.next();
      if (done === true)
        fail("ERR_ARGUMENT", this.op, "there are fewer rows than before", `at least ${rows}`, `${this.count}`);
    }
  }

  /** What the rows say of their position; null if they say nothing. */
  position(): unknown {
    return isFunction(this.source.position) ? (this.source.position() ?? null) : null;
  }

  /** The next rows: fewer only at the end. */
  async take(count: number): Promise<T[]> {
    const rows: T[] = [];
    while (rows.length < count) {
      const { done, value } = await this.next();
      if (done === true) break;
      rows.push(value as T);
    }
    return rows;
  }

  private async next(): Promise<IteratorResult<T, unknown>> {
    if (this.ended) return { done: true, value: undefined };
    this.waiting = true;
    try {
      const step: unknown = await this.iterator.next();
      if (typeof step !== "object" || step === null)
        return fail("ERR_ARGUMENT", this.op, "the iterator gives no result", "{ done, value }", describe(step));
      const { done, value } = step as { done?: unknown; value: T };
      if (done) {
        this.ended = true;
        return { done: true, value: undefined };
      }
      this.count++;
      return { done: false, value };
    } catch (error) {
      this.ended = true;
      throw atSample(error, this.count);
    } finally {
      this.waiting = false;
    }
  }

  /** Closes the rows that are left. Does not wait for a row that may never come. */
  async close(): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    const waiting = this.waiting;
    const destroy: unknown = waiting ? Reflect.get(this.source, "destroy") : null;
    if (isFunction(destroy)) Reflect.apply(destroy, this.source, []);
    const closing = Promise.resolve(this.iterator.return?.());
    if (waiting) closing.catch(ignore);
    else await closing;
  }
}
