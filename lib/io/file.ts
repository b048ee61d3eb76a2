import { randomUUID } from "node:crypto";
import { type FileHandle, open, rename, rm } from "node:fs/promises";

/** One read or write of the system takes less than 2 GiB. */
const chunkBytes = 2 ** 30;

/** Reads `bytes.length` bytes from `position`, or as many as there are; returns how many. */
export async function readInto(file: FileHandle, bytes: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < bytes.length) {
    const length = Math.min(bytes.length - done, chunkBytes);
    const { bytesRead } = await file.read(bytes, done, length, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/** Writes a file whole or not at all: a reader never sees half of it, and a crash leaves the old one in place. */
export async function writeAtomically(path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  const file = await open(temporary, "wx");
  try {
    try {
      for (const piece of pieces) {
        for (let start = 0; start < piece.length; ) {
          const { bytesWritten } = await file.write(piece, start, Math.min(piece.length - start, chunkBytes));
          start += bytesWritten;
        }
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
