/** Tensors by name in npz files, the format of NumPy's `savez`: a zip file with an npy file for each. */
import { writeAtomically } from "../core/file.js";
import { checkOptions } from "../core/options.js";
import { type FilePath, pathOf } from "../core/path.js";
import { refuse, type Source } from "../core/source.js";
import { needRoom } from "../tensor/javascript-memory.js";
import type { Tensor } from "../tensor/tensor.js";
import { checksumOfPieces } from "./checksum.js";
import { needBytes, npyPieces, npyRoom, npyTensor } from "./npy.js";
import { type NpyHeader, npyLead, parseNpyHeader } from "./npy-header.js";
import { type Reader, readBytes, readFile, take } from "./random-access.js";
import { needTensors, type Tensors } from "./safetensors.js";
import { type Content, dataOf, inflate, type Placed, readDirectory, zip } from "./zip.js";

export interface NpzOptions {
  /** Whether the elements are compressed, as by NumPy's `savez_compressed`; default false. */
  readonly compress?: boolean | undefined;
}

/**
 * Encodes tensors as the bytes of an npz file, which `numpy.load` reads.
 * @throws ERR_ARGUMENT unless these are tensors by name; ERR_DTYPE for bfloat16, which npy does not have.
 * @example
 * const file = encodeNpz({ x: tensor([1, 2]), y: tensor([0, 1]) }, { compress: true });
 * decodeNpz(file).x?.toArray(); // [1, 2]
 */
export function encodeNpz(tensors: Tensors, options?: NpzOptions): Uint8Array {
  return new Uint8Array(Buffer.concat([...npzPieces("encodeNpz", tensors, options)]));
}

/**
 * Decodes the tensors of an npz file, stored or compressed, in the order of its directory. The bytes may be untrusted: an
 * array is inflated to the size that its own header states, and no further; checksums are compared.
 * @throws ERR_FORMAT for bytes that are not a complete zip file of npy files; otherwise as {@link decodeNpy}.
 * @example decodeNpz(encodeNpz({ x: tensor([1, 2]) })).x?.shape; // [2]
 */
export function decodeNpz(bytes: Uint8Array): Record<string, Tensor> {
  const op = "decodeNpz";
  needBytes(op, bytes);
  return readBytes(bytes, npzReader({ op, name: "bytes" }, bytes.length));
}

/**
 * Reads the tensors of an npz file.
 * @throws as {@link decodeNpz}; ERR_ARGUMENT for a folder, device, FIFO or socket; for a missing file Node's ENOENT
 * error.
 * @example
 * const { x } = await loadNpz("data.npz");
 * x?.shape; // [2]
 */
export async function loadNpz(path: FilePath): Promise<Record<string, Tensor>> {
  const op = "loadNpz";
  const source = { op, name: pathOf(op, path) };
  return readFile(source, (size) => npzReader(source, size));
}

/**
 * Writes tensors to an npz file atomically, as {@link saveSafetensors} does.
 * @throws as {@link encodeNpz}; ERR_ARGUMENT for a folder, device, FIFO or socket; Node's own errors of the file system.
 * @example
 * await saveNpz("data.npz", { x: tensor([1, 2]) });
 */
export async function saveNpz(path: FilePath, tensors: Tensors, options?: NpzOptions): Promise<void> {
  const op = "saveNpz";
  const file = pathOf(op, path);
  await writeAtomically(op, file, [...npzPieces(op, tensors, options)]);
}

const suffix = ".npy";

function npzPieces(op: string, tensors: Tensors, options: NpzOptions | undefined): Iterable<Uint8Array> {
  const { compress = false } = checkOptions<NpzOptions>(op, options, [], ["compress"]);
  needTensors(op, tensors);
  const contents = Object.entries(tensors).map(
    ([name, x]): Content => ({ name: name + suffix, pieces: npyPieces(op, x) }),
  );
  return zip(op, contents, compress);
}

interface Entry {
  readonly member: Placed;
  readonly header: NpyHeader;
  /** The position of the member's bytes. */
  readonly at: number;
}

function* npzReader(source: Source, size: number): Reader<Record<string, Tensor>> {
  const members = yield* readDirectory(size, source);
  const entries: Entry[] = [];
  for (const member of members) {
    if (!member.name.endsWith(suffix))
      refuse(source, "a member is no array", "names that end in .npy", JSON.stringify(member.name.slice(0, 60)));
    const at = yield* dataOf(member, source);
    const start = yield* take(at, Math.min(member.packed, npyLead));
    const lead = member.deflated ? inflate(start, npyLead, true, source) : start;
    entries.push({ member, header: parseNpyHeader(lead.subarray(0, npyLead), member.size, of(member, source)), at });
  }
  const sizes = entries.map(({ header }) => header.bytes);
  const largest = sizes.reduce((most, bytes) => Math.max(most, bytes), 0);
  needRoom(source.op, sizes.reduce((sum, bytes) => sum + bytes, 0) + 3 * largest);
  const tensors: [string, Tensor][] = [];
  for (const entry of entries)
    tensors.push([entry.member.name.slice(0, -suffix.length), yield* readArray(entry, source)]);
  return Object.fromEntries(tensors);
}

const of = ({ name }: Placed, { op, name: file }: Source): Source => ({ op, name: `${file}, ${name.slice(0, 60)}` });

function* readArray({ member, header, at }: Entry, source: Source): Reader<Tensor> {
  const own = of(member, source);
  const { array, bytes } = npyRoom(own, header);
  let start: Uint8Array;
  if (member.deflated) {
    const content = inflate(yield* take(at, member.packed), member.size, false, own);
    start = content.subarray(0, header.start);
    bytes.set(content.subarray(header.start));
  } else {
    start = yield* take(at, header.start);
    if (bytes.length > 0) yield { bytes, position: at + header.start };
  }
  if (checksumOfPieces([start, bytes]) !== member.crc) refuse(own, "the array differs from its checksum");
  return npyTensor(own, header, array);
}
