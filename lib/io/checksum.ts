import { onDemand } from "../core/node.js";

const chunkBytes = 2 ** 24;

/** The CRC-32 of the bytes, with pauses in which the event loop may run. */
export async function checksum(bytes: Uint8Array, pause: () => Promise<void>): Promise<number> {
  let sum = 0;
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    await pause();
    sum = onDemand.zlib.crc32(bytes.subarray(start, start + chunkBytes), sum);
  }
  return sum;
}

/** The CRC-32 of pieces one after the other; zlib's own function forgets what came before an empty one. */
export const checksumOfPieces = (pieces: readonly Uint8Array[]): number =>
  pieces.reduce((sum, piece) => (piece.length === 0 ? sum : onDemand.zlib.crc32(piece, sum)), 0);

export const checksumOfText = (text: string): number => onDemand.zlib.crc32(text);
