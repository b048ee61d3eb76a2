/** A file that grows at its end in the background, so that who appends never waits for the disk. */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, write, writeSync } from "node:fs";

/** So many items are written at once, or those of so many milliseconds. */
const batch = 512;
const interval = 1000;
/** While nothing can be written, items beyond these are lost. */
const mostWaiting = 2 ** 16;

interface Chunk {
  readonly bytes: Uint8Array;
  readonly position: number;
  readonly items: number;
}

export interface GrowingFileOptions<T> {
  readonly encode: (item: T) => string | Uint8Array;
  /** How many bytes of a file that is there are kept, less what stands behind the last end of a line. */
  readonly keep?: number;
  readonly warn: (message: string) => void;
}

export class GrowingFile<T> {
  readonly #path: string;
  readonly #file: number;
  readonly #encode: (item: T) => string | Uint8Array;
  readonly #warn: (message: string) => void;
  #end: number;
  #waiting: T[] = [];
  /** What is not on disk yet; the first one may be on its way there. */
  #chunks: Chunk[] = [];
  #writing: Promise<void> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #failed = false;
  #lost = 0;

  constructor(path: string, { encode, keep = 0, warn }: GrowingFileOptions<T>) {
    this.#path = path;
    this.#encode = encode;
    this.#warn = warn;
    this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT);
    this.#end = endOfLine(this.#file, Math.min(keep, fstatSync(this.#file).size));
    ftruncateSync(this.#file, this.#end);
  }

  append(item: T): void {
    const held = this.#chunks.reduce((sum, { items }) => sum + items, this.#waiting.length);
    if (held >= mostWaiting) this.#lost++;
    else this.#waiting.push(item);
    if (this.#waiting.length >= batch && !this.#failed) this.#start();
    else this.#startLater();
  }

  /** Writes everything at once. Returns how many bytes the file has then. */
  drain(): number {
    this.#collect();
    try {
      for (const { bytes, position } of this.#chunks) writeWhole(this.#file, bytes, position);
      this.#chunks = [];
      this.#recover();
    } catch (error) {
      this.#fail(error);
    }
    return this.#end;
  }

  async close(): Promise<void> {
    // The end of a write may begin the next one.
    while (this.#writing !== null) await this.#writing;
    this.drain();
    clearTimeout(this.#timer);
    closeSync(this.#file);
  }

  #startLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#start();
    }, interval).unref();
  }

  #start(): void {
    if (this.#writing !== null) return;
    if (this.#chunks.length === 0) this.#collect();
    const chunk = this.#chunks[0];
    if (chunk === undefined) return;
    this.#writing = new Promise((resolve) => {
      write(this.#file, chunk.bytes, 0, chunk.bytes.length, chunk.position, (error, written) => {
        this.#writing = null;
        this.#written(chunk, error, written);
        resolve();
      });
    });
  }

  /** The end of a write in the background. What has been drained in between was written twice, to the same place. */
  #written(chunk: Chunk, error: Error | null, written: number): void {
    if (this.#chunks[0] !== chunk) return;
    if (error !== null) {
      this.#fail(error);
      return;
    }
    const { bytes, position, items } = chunk;
    if (written < bytes.length)
      this.#chunks[0] = { bytes: bytes.subarray(written), position: position + written, items };
    else this.#chunks.shift();
    this.#recover();
    if (this.#chunks.length > 0 || this.#waiting.length >= batch) this.#start();
  }

  /** Makes a chunk of all items that wait. */
  #collect(): void {
    if (this.#waiting.length === 0) return;
    const bytes = Buffer.concat(this.#waiting.map((item) => Buffer.from(this.#encode(item))));
    this.#chunks.push({ bytes, position: this.#end, items: this.#waiting.length });
    this.#end += bytes.length;
    this.#waiting = [];
  }

  #fail(error: unknown): void {
    if (!this.#failed) this.#warn(`${this.#path} cannot be written: ${(error as Error).message}`);
    this.#failed = true;
    this.#startLater();
  }

  #recover(): void {
    if (this.#failed) this.#warn(`${this.#path} is written again; ${this.#lost} events are lost`);
    this.#failed = false;
    this.#lost = 0;
  }
}

function writeWhole(file: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, position + done);
}

const newline = 10;

/** Where the last line before `end` that is whole ends. */
function endOfLine(file: number, end: number): number {
  const block = Buffer.alloc(2 ** 16);
  for (let high = end; high > 0; ) {
    const low = Math.max(0, high - block.length);
    const length = readSync(file, block, 0, high - low, low);
    const at = block.subarray(0, length).lastIndexOf(newline);
    if (at >= 0) return low + at + 1;
    high = low;
  }
  return 0;
}
