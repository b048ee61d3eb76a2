/**
 * The parts of the zip format that npz files need: the directory, and members that are stored or deflated. node:zlib
 * inflates with a bound on the output, and computes the checksums.
 * @source PKWARE, APPNOTE.TXT, version 6.3.10.
 */
import { fail } from "../core/errors.js";
import { onDemand } from "../core/node.js";
import { refuse, type Source } from "../core/source.js";
import { checksumOfPieces } from "./checksum.js";
import { type Reader, take } from "./random-access.js";

const signatures = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
} as const;
const sizes = { local: 30, central: 46, end: 22, end64: 56, locator64: 20 } as const;
const longestComment = 65_535;
const stored = 0;
const deflated = 8;
const encryptedFlag = 1;
const utf8Flag = 0x800;
const unset32 = 0xffff_ffff;
const unset16 = 0xffff;
const extra64 = 1;
const version64 = 45;
/** A directory of more bytes takes a second to read. */
const longestDirectory = 2 ** 26;
/** So many bytes of content, at most, stand in a byte of a deflate stream. */
const mostExpansion = 1032;

export interface Member {
  readonly name: string;
  readonly deflated: boolean;
  readonly crc: number;
  /** The number of bytes in the file. */
  readonly packed: number;
  /** The number of bytes of the content. */
  readonly size: number;
  /** The position of its local header. */
  readonly at: number;
}
/** A member in a file, which ends before `until`. */
export interface Placed extends Member {
  readonly until: number;
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function decodeName(bytes: Uint8Array, source: Source): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    return refuse(source, "a member's name is not text", undefined, (error as Error).message);
  }
}

/** The members of a zip file of `size` bytes, in the order of its directory. */
export function* readDirectory(size: number, source: Source): Reader<Placed[]> {
  const { start, length, count } = yield* findDirectory(size, source);
  const directory = yield* take(start, length);
  const view = viewOf(directory);
  const members: Member[] = [];
  const names = new Set<string>();
  let at = 0;
  const need = (bytes: number): void => {
    if (at + bytes > length) refuse(source, "the directory is cut off");
  };
  for (let i = 0; i < count; i++) {
    need(sizes.central);
    if (view.getUint32(at, true) !== signatures.central) refuse(source, "the directory is damaged");
    const [flags, method] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
    const [nameLength, extraLength] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true)];
    const nameAt = at + sizes.central;
    need(sizes.central + nameLength + extraLength + view.getUint16(at + 32, true));
    const name = decodeName(directory.subarray(nameAt, nameAt + nameLength), source);
    const quoted = JSON.stringify(name.slice(0, 60));
    if (names.has(name)) refuse(source, `the member ${quoted} occurs twice`);
    names.add(name);
    if (flags & encryptedFlag) refuse(source, `the member ${quoted} is encrypted`);
    if (method !== stored && method !== deflated)
      refuse(source, `the member ${quoted} is compressed otherwise than by deflate`, "method 0 or 8", `${method}`);
    const [packed, content, local] = sizes64(
      directory.subarray(nameAt + nameLength, nameAt + nameLength + extraLength),
      // The order in which the extra field lists those that are unset.
      [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)],
      () => refuse(source, `the sizes of the member ${quoted} are damaged`),
    );
    const member = { name, deflated: method === deflated, crc: view.getUint32(at + 16, true), packed, size: content };
    if (!member.deflated && packed !== content) refuse(source, `the sizes of the stored member ${quoted} differ`);
    if (content > packed * mostExpansion) refuse(source, `the member ${quoted} is larger than deflate can make it`);
    members.push({ ...member, at: local });
    at = nameAt + nameLength + extraLength + view.getUint16(at + 32, true);
  }
  if (at !== length) refuse(source, "the directory has bytes left over");
  const starts = [...members.map((member) => member.at), start].sort((a, b) => a - b);
  const next = new Map(starts.map((position, i) => [position, starts[i + 1] ?? position]));
  return members.map((member) => ({ ...member, until: next.get(member.at)! }));
}

/** [packed size, size, position of the local header], from fields of 32 bits or the zip64 extra field. */
function sizes64(
  extra: Uint8Array,
  [size, packed, local]: readonly [number, number, number],
  bad: () => never,
): [number, number, number] {
  const found = { size, packed, local };
  const view = viewOf(extra);
  const missing = (["size", "packed", "local"] as const).filter((name) => found[name] === unset32);
  for (let at = 0; missing.length > 0; ) {
    if (at + 4 > extra.length) bad();
    const length = view.getUint16(at + 2, true);
    if (at + 4 + length > extra.length) bad();
    if (view.getUint16(at, true) === extra64) {
      if (length < 8 * missing.length) bad();
      missing.forEach((name, i) => {
        found[name] = safeInteger(view.getBigUint64(at + 4 + 8 * i, true), bad);
      });
      break;
    }
    at += 4 + length;
  }
  return [found.packed, found.size, found.local];
}

const safeInteger = (value: bigint, bad: () => never): number =>
  value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : bad();

function* findDirectory(size: number, source: Source): Reader<{ start: number; length: number; count: number }> {
  const tailLength = Math.min(size, sizes.end + longestComment + sizes.locator64);
  const tail = yield* take(size - tailLength, tailLength);
  const view = viewOf(tail);
  let at = tailLength - sizes.end;
  const isEnd = (i: number): boolean =>
    view.getUint32(i, true) === signatures.end && i + sizes.end + view.getUint16(i + 20, true) === tailLength;
  while (at >= 0 && !isEnd(at)) at--;
  if (at < 0) return refuse(source, "not an npz file", "a complete zip file", `${size} bytes without a directory`);
  const bad = (): never => refuse(source, "the end of the directory is damaged");
  let [count, length, start] = [
    view.getUint16(at + 10, true),
    view.getUint32(at + 12, true),
    view.getUint32(at + 16, true),
  ];
  const locator = at - sizes.locator64;
  if (count === unset16 || length === unset32 || start === unset32) {
    if (locator < 0 || view.getUint32(locator, true) !== signatures.locator64) return bad();
    const end64 = safeInteger(view.getBigUint64(locator + 8, true), bad);
    if (end64 + sizes.end64 > size) return bad();
    const record = viewOf(yield* take(end64, sizes.end64));
    if (record.getUint32(0, true) !== signatures.end64) return bad();
    [count, length, start] = [32, 40, 48].map((i) => safeInteger(record.getBigUint64(i, true), bad)) as [
      number,
      number,
      number,
    ];
  }
  if (start + length > size || count * sizes.central > length) return bad();
  if (length > longestDirectory)
    refuse(source, "the directory is too long", `at most ${longestDirectory} bytes`, `${length}`);
  return { start, length, count };
}

/** The position of a member's bytes. */
export function* dataOf({ name, at, packed, until }: Placed, source: Source): Reader<number> {
  const bad = (): never => refuse(source, `the directory and the member ${JSON.stringify(name.slice(0, 60))} disagree`);
  if (at + sizes.local > until) return bad();
  const view = viewOf(yield* take(at, sizes.local));
  const nameLength = view.getUint16(26, true);
  const data = at + sizes.local + nameLength + view.getUint16(28, true);
  if (view.getUint32(0, true) !== signatures.local || data + packed > until) return bad();
  const own = yield* take(at + sizes.local, nameLength);
  return decodeName(own, source) === name ? data : bad();
}

/** The content of a deflated member, or its first `most` bytes where `part`; ERR_FORMAT unless it has `most` bytes. */
export function inflate(packed: Uint8Array, most: number, part: boolean, source: Source): Uint8Array {
  const { constants, inflateRawSync } = onDemand.zlib;
  const bad = (got: string): never => refuse(source, "a member is damaged", `${most} bytes`, got);
  try {
    if (part) return inflateRawSync(packed, { finishFlush: constants.Z_SYNC_FLUSH });
    const content = inflateRawSync(packed, { maxOutputLength: Math.max(most, 1) });
    return content.length === most ? content : bad(`${content.length}`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ERR_FORMAT") throw error;
    return bad(code === "ERR_BUFFER_TOO_LARGE" ? "more" : message);
  }
}

/** A file to be written into a zip file, in pieces. */
export interface Content {
  readonly name: string;
  readonly pieces: readonly Uint8Array[];
}

const total = (pieces: readonly Uint8Array[]): number => pieces.reduce((sum, { length }) => sum + length, 0);
/** Midnight of the first day that the format knows: the same content gives the same bytes. */
const date = 0x0021;

/** The pieces of a zip file. */
export function* zip(op: string, contents: Iterable<Content>, compress: boolean): Generator<Uint8Array, void> {
  const directory: Uint8Array[] = [];
  let position = 0;
  for (const { name, pieces } of contents) {
    const encoded = new TextEncoder().encode(name);
    if (encoded.length > unset16)
      fail("ERR_ARGUMENT", op, "a name is too long", "at most 65,535 bytes", `${encoded.length}`);
    const crc = checksumOfPieces(pieces);
    const size = total(pieces);
    const packed = compress ? [onDemand.zlib.deflateRawSync(Buffer.concat(pieces))] : pieces;
    const member: Member = { name, deflated: compress, crc, packed: total(packed), size, at: position };
    const local = header(member, encoded, true);
    yield local;
    yield* packed;
    position += local.length + member.packed;
    directory.push(header(member, encoded, false));
  }
  yield* directory;
  yield endOf(directory.length, total(directory), position);
}

/** A member's local header, or its entry in the directory. */
function header(
  { deflated: isDeflated, crc, packed, size, at }: Member,
  name: Uint8Array,
  isLocal: boolean,
): Uint8Array {
  const long = isLocal ? [size, packed] : [size, packed, at];
  const extra = long.some((value) => value >= unset32) ? new Uint8Array(4 + 8 * long.length) : new Uint8Array();
  const field = (value: number): number => (extra.length > 0 ? unset32 : value);
  if (extra.length > 0) {
    const view = viewOf(extra);
    view.setUint16(0, extra64, true);
    view.setUint16(2, 8 * long.length, true);
    long.forEach((value, i) => view.setBigUint64(4 + 8 * i, BigInt(value), true));
  }
  const fixed = isLocal ? sizes.local : sizes.central;
  const bytes = new Uint8Array(fixed + name.length + extra.length);
  const view = viewOf(bytes);
  view.setUint32(0, isLocal ? signatures.local : signatures.central, true);
  // The directory has one field more at the start: the version that wrote the file.
  const from = isLocal ? 4 : 6;
  if (!isLocal) view.setUint16(4, version64, true);
  [version64, utf8Flag, isDeflated ? deflated : stored, 0, date].forEach((value, i) =>
    view.setUint16(from + 2 * i, value, true),
  );
  [crc, field(packed), field(size)].forEach((value, i) => view.setUint32(from + 10 + 4 * i, value, true));
  view.setUint16(from + 22, name.length, true);
  view.setUint16(from + 24, extra.length, true);
  if (!isLocal) view.setUint32(42, field(at), true);
  bytes.set(name, fixed);
  bytes.set(extra, fixed + name.length);
  return bytes;
}

function endOf(count: number, length: number, start: number): Uint8Array {
  const long = count >= unset16 || length >= unset32 || start >= unset32;
  const bytes = new Uint8Array((long ? sizes.end64 + sizes.locator64 : 0) + sizes.end);
  const view = viewOf(bytes);
  if (long) {
    view.setUint32(0, signatures.end64, true);
    view.setBigUint64(4, BigInt(sizes.end64 - 12), true);
    view.setUint16(12, version64, true);
    view.setUint16(14, version64, true);
    [count, count, length, start].forEach((value, i) => view.setBigUint64(24 + 8 * i, BigInt(value), true));
    view.setUint32(sizes.end64, signatures.locator64, true);
    view.setBigUint64(sizes.end64 + 8, BigInt(start + length), true);
    view.setUint32(sizes.end64 + 16, 1, true);
  }
  const at = bytes.length - sizes.end;
  view.setUint32(at, signatures.end, true);
  [count, count].forEach((value, i) => view.setUint16(at + 8 + 2 * i, Math.min(value, unset16), true));
  [length, start].forEach((value, i) => view.setUint32(at + 12 + 4 * i, Math.min(value, unset32), true));
  return bytes;
}
