/** The file format of TensorFlow: records with their length, and a masked checksum of the length and of the content. */
import { crc32c } from "./crc32c.js";

/** Rotated and shifted, so that the checksum of bytes that contain checksums is a good one, too. */
const masked = (sum: number): number => (((sum >>> 15) | (sum << 17)) + 0xa282ead8) >>> 0;

export function recordOf(content: Uint8Array): Uint8Array {
  const record = new Uint8Array(content.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(content.length), true);
  view.setUint32(8, masked(crc32c(record.subarray(0, 8))), true);
  record.set(content, 12);
  view.setUint32(12 + content.length, masked(crc32c(content)), true);
  return record;
}
