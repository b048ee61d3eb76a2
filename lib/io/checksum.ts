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

export const checksumOfText = (text: string): number => onDemand.zlib.crc32(text);
