import { openRegular, readInto } from "../../core/file.js";
import { refuse, type Source } from "../../core/source.js";
import { typedArray } from "../../tensor/javascript-memory.js";

/** The content of a regular file, in memory that counts against the limit. */
export async function readWhole(source: Source): Promise<Uint8Array> {
  const file = await openRegular(source.op, source.name);
  try {
    const { size } = await file.stat();
    const bytes = typedArray<Uint8Array>(source.op, Uint8Array, size);
    const got = await readInto(file, bytes, 0);
    if (got < size) refuse(source, "the file got shorter while it was read", `${size} bytes`, `${got}`);
    return bytes;
  } finally {
    await file.close();
  }
}

/** The position after a byte order mark. ERR_FORMAT for UTF-16, which has one of its own. */
export function afterMark(bytes: Uint8Array, source: Source): number {
  const [a, b, c] = bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)) refuse(source, "the text is UTF-16", "UTF-8");
  return a === 0xef && b === 0xbb && c === 0xbf ? 3 : 0;
}
