/** Reading at positions, from a file or from bytes in memory: a format's reader is the same generator for both. */

import { breather } from "../core/breather.js";
import { openRegular, readInto } from "../core/file.js";
import { refuse, type Source } from "../core/source.js";

/** Asks for the bytes from a position: as many as `bytes` has room for. */
export interface Ask {
  readonly bytes: Uint8Array;
  readonly position: number;
}

/** Yields what it asks for, and goes on once it is there. What it asks for lies within the file. */
export type Reader<T> = Generator<Ask, T, void>;

export function readBytes<T>(all: Uint8Array, reader: Reader<T>): T {
  for (;;) {
    const step = reader.next();
    if (step.done === true) return step.value;
    const { bytes, position } = step.value;
    bytes.set(all.subarray(position, position + bytes.length));
  }
}

/** The same of a file, yielding to the event loop; `open` gets its size, and its descriptor for a map. */
export async function readFile<T>(source: Source, open: (size: number, descriptor: number) => Reader<T>): Promise<T> {
  const file = await openRegular(source.op, source.name);
  const pause = breather();
  try {
    const { size } = await file.stat();
    const reader = open(size, file.fd);
    for (;;) {
      const step = reader.next();
      if (step.done === true) return step.value;
      await pause();
      const { bytes, position } = step.value;
      const got = await readInto(file, bytes, position);
      if (got < bytes.length)
        refuse(source, "the file got shorter while it was read", `${size} bytes`, `${position + got}`);
    }
  } finally {
    await file.close();
  }
}

/** Asks for `length` bytes in a buffer of their own. */
export function* take(position: number, length: number): Reader<Uint8Array> {
  const bytes = new Uint8Array(length);
  if (length > 0) yield { bytes, position };
  return bytes;
}
