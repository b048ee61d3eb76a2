/** JSON lines: a file with a JSON value on each line, read by position. */
import { needInteger, needPlace } from "../../core/arguments.js";
import { breather } from "../../core/breather.js";
import { brand } from "../../core/copy.js";
import { fail } from "../../core/errors.js";
import { HeldFile } from "../../core/file.js";
import { checkOptions } from "../../core/options.js";
import { type FilePath, pathOf } from "../../core/path.js";
import { refuse, type Source } from "../../core/source.js";
import { typedArray } from "../../tensor/javascript-memory.js";
import type { Dataset } from "../dataset.js";
import { afterMark } from "./whole-file.js";

export interface JsonLinesOptions {
  /** The longest line in bytes that is accepted; default 16 MiB. */
  readonly longestLine?: number | undefined;
}

const op = "readJsonLines";

/**
 * A file with a JSON value on each line, as a data set: its lines are found once, and a line is read when it is asked for,
 * so that the file may be larger than memory. Empty lines are skipped. {@link readJsonLines} opens one.
 */
export class JsonLines<T = unknown> implements Dataset<T> {
  /** The number of values. */
  readonly length: number;
  private readonly source: Source;
  private readonly file: HeldFile;
  /** The position of each line, and of the end of the last one. */
  private readonly starts: Float64Array;
  private readonly longest: number;

  /** @internal */
  constructor(source: Source, file: HeldFile, starts: Float64Array, longest: number) {
    this.source = source;
    this.longest = longest;
    this.file = file;
    this.starts = starts;
    this.length = starts.length - 1;
  }

  /**
   * The value of line `i`; a negative `i` counts from the end.
   * @throws ERR_INDEX if there is no such line; ERR_FORMAT if it is not JSON in UTF-8; ERR_DISPOSED after `close`.
   */
  async at(i: number): Promise<T> {
    const at = needPlace("JsonLines", "line", i, this.length);
    if (this.file.closed) fail("ERR_DISPOSED", "JsonLines", `${this.source.name} has been closed`);
    const [start, end] = [this.starts[at]!, this.starts[at + 1]!];
    const bytes = new Uint8Array(Math.min(end - start, this.longest)); // without empty lines that follow
    const got = await this.file.readInto(bytes, start);
    if (got < bytes.length)
      refuse(this.source, "the file has got shorter", `${start + bytes.length} bytes`, `${start + got}`);
    return parse(bytes, at, this.source) as T;
  }

  /** The position of line `i` in the file, in bytes. */
  offset(i: number): number {
    return this.starts[needInteger("JsonLines", "the line", i, 0)] ?? fail("ERR_INDEX", "JsonLines", "no such line");
  }

  /** Closes the file, as the garbage collector does otherwise. */
  close(): Promise<void> {
    return this.file.close();
  }
}
brand("other", JsonLines);

function parse(bytes: Uint8Array, i: number, source: Source): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)) as unknown;
  } catch (error) {
    return refuse(source, `value ${i} is not JSON`, undefined, (error as Error).message);
  }
}

const chunkBytes = 2 ** 20;

/**
 * Opens a file with a JSON value on each line and finds its lines. The values are read and parsed when they are asked for.
 * @throws ERR_FORMAT for a line that is longer than `longestLine`; ERR_ARGUMENT for a folder, device, FIFO or socket; for a
 * missing file Node's ENOENT error.
 * @example
 * const reviews = await readJsonLines<{ text: string; stars: number }>("reviews.jsonl");
 * reviews.length; // 2
 * (await reviews.at(1)).stars; // 5
 * await reviews.close();
 */
export async function readJsonLines<T = unknown>(path: FilePath, options?: JsonLinesOptions): Promise<JsonLines<T>> {
  const source = { op, name: pathOf(op, path) };
  const { longestLine = 2 ** 24 } = checkOptions<JsonLinesOptions>(op, options, ["longestLine"]);
  needInteger(op, "longestLine", longestLine, 1);
  const file = await HeldFile.open(op, source.name);
  try {
    return new JsonLines<T>(source, file, await startsOf(file, source, longestLine), longestLine);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The positions of the lines that are not empty, and of the end of the last one. */
async function startsOf(file: HeldFile, source: Source, longest: number): Promise<Float64Array> {
  const pause = breather();
  const chunk = Buffer.alloc(chunkBytes);
  let starts = typedArray<Float64Array>(op, Float64Array, 1024);
  let count = 0;
  const push = (position: number): void => {
    if (count === starts.length) {
      const larger = typedArray<Float64Array>(op, Float64Array, 2 * count);
      larger.set(starts);
      starts = larger;
    }
    starts[count++] = position;
  };
  let start = 0;
  let empty = true;
  let position = 0;
  const end = (at: number): void => {
    if (at - start > longest)
      refuse(source, `value ${count - 1} is too long`, `at most ${longest} bytes`, `${at - start} or more`);
  };
  for (;;) {
    await pause();
    const got = await file.readInto(chunk, position);
    if (got === 0) break;
    let at = position === 0 ? afterMark(chunk, source) : 0;
    if (position === 0) start = at;
    while (at < got) {
      if (empty) {
        // White space between values belongs to no line.
        const byte = chunk[at]!;
        if (byte === 0x0a || byte === 0x0d || byte === 0x20 || byte === 0x09) {
          at++;
          continue;
        }
        empty = false;
        start = position + at;
        push(start);
      }
      const next = chunk.indexOf(0x0a, at);
      const stop = next < 0 || next >= got ? got : next;
      end(position + stop);
      if (stop < got) empty = true;
      at = stop + 1;
    }
    position += got;
  }
  push(position);
  return starts.slice(0, count);
}
