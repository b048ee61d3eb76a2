/** Reading and writing regular files. */
import * as callbacks from "node:fs";
import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, open, readlink, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, sep } from "node:path";
import { fail } from "./errors.js";
import { promisify } from "./node.js";
import { clearAbandoned, temporaryName } from "./temporary.js";

/** One system call reads or writes less than 2 GiB. */
const chunkBytes = 2 ** 30;
/** The number of symbolic links that Linux follows. */
const mostLinks = 40;

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

/** ERR_ARGUMENT for a device, FIFO, socket or folder: opening one may block forever, and replacing one is harmful. */
function needRegular(op: string, path: string, stats: Stats): void {
  if (stats.isFile()) return;
  const kind = stats.isDirectory()
    ? "a folder"
    : stats.isFIFO()
      ? "a FIFO"
      : stats.isSocket()
        ? "a socket"
        : "a device";
  fail("ERR_ARGUMENT", op, `${path} is no regular file`, "a regular file", kind, { path });
}

/** For reading; does not block if the path has become a FIFO. */
const readable = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** Opens a regular file for reading. A missing one stays Node's ENOENT. */
export async function openRegular(op: string, path: string): Promise<FileHandle> {
  needRegular(op, path, await stat(path));
  return open(path, readable);
}

const [openFile, readFile, closeFile] = [
  promisify(callbacks.open),
  promisify(callbacks.read),
  promisify(callbacks.close),
];

/** A regular file that stays open while this object lives, or until it is closed. */
export class HeldFile {
  private static readonly left = new FinalizationRegistry((descriptor: number) => callbacks.close(descriptor));
  private readonly descriptor: number;
  private readonly reading = new Set<Promise<unknown>>();
  private closing: Promise<void> | undefined;

  private constructor(descriptor: number) {
    this.descriptor = descriptor;
    HeldFile.left.register(this, descriptor, this);
  }

  /** Opens a file as {@link openRegular} does; Node would warn of a FileHandle that nobody closes. */
  static async open(op: string, path: string): Promise<HeldFile> {
    needRegular(op, path, await stat(path));
    return new HeldFile(await openFile(path, readable));
  }

  get closed(): boolean {
    return this.closing !== undefined;
  }

  /** Reads as the function {@link readInto} does. */
  async readInto(bytes: Uint8Array, position: number): Promise<number> {
    const read = readInto({ read: (...where) => readFile(this.descriptor, ...where) }, bytes, position);
    this.reading.add(read);
    try {
      return await read;
    } finally {
      this.reading.delete(read);
    }
  }

  /** Closes the file after the reads that are under way: its descriptor may be another file's then. */
  close(): Promise<void> {
    this.closing ??= this.closeAfterReads();
    return this.closing;
  }

  private async closeAfterReads(): Promise<void> {
    HeldFile.left.unregister(this);
    await Promise.allSettled(this.reading);
    await closeFile(this.descriptor);
  }
}

interface Readable {
  read(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
}

/** Reads `bytes.length` bytes from `position`, or as many as there are; returns how many. */
export async function readInto(file: Readable, bytes: Uint8Array, position: number): Promise<number> {
  let done = 0;
  while (done < bytes.length) {
    const length = Math.min(bytes.length - done, chunkBytes);
    const { bytesRead } = await file.read(bytes, done, length, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/** The whole content of a regular file. */
export async function readRegular(op: string, path: string): Promise<Uint8Array> {
  const file = await openRegular(op, path);
  try {
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/** The target of a path through symbolic links, and its stats; null where nothing is there yet. */
async function targetOf(op: string, path: string): Promise<{ path: string; stats: Stats | null }> {
  let at = path;
  for (let links = 0; links <= mostLinks; links++) {
    // Resolves the folder first: `..` in a link is relative to the real one.
    const folder = await realpath(dirname(at));
    const real = folder.endsWith(sep) ? folder + basename(at) : folder + sep + basename(at);
    let stats: Stats;
    try {
      stats = await lstat(real);
    } catch (error) {
      if (codeOf(error) === "ENOENT") return { path: real, stats: null };
      throw error;
    }
    if (!stats.isSymbolicLink()) return { path: real, stats };
    const link = await readlink(real);
    at = isAbsolute(link) ? link : folder + sep + link;
  }
  return fail("ERR_ARGUMENT", op, `${path} is a circle of links`, `at most ${mostLinks} links`, undefined, { path });
}

/** Syncs the folder, where the system can, so that a rename survives a power cut. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!["EACCES", "EINVAL", "EISDIR", "ENOTSUP", "EPERM"].includes(String(codeOf(error)))) throw error;
  }
}

/**
 * Writes a file whole or not at all: a reader never sees half of it, and a crash or a power cut leaves the old one or the
 * new one. Follows symbolic links; keeps the mode of a file that is there, and its owner where the process may.
 * @throws ERR_ARGUMENT for anything but a regular file; Node's own errors of the file system.
 */
export async function writeAtomically(op: string, path: string, pieces: Iterable<Uint8Array>): Promise<void> {
  const target = await targetOf(op, path);
  const before = target.stats;
  if (before !== null) needRegular(op, path, before);
  const folder = dirname(target.path);
  await clearAbandoned(folder);
  const temporary = folder + sep + temporaryName();
  // Private until it has the mode of the file that it replaces.
  const file = await open(temporary, "wx", before === null ? 0o666 : 0o600);
  try {
    try {
      let position = 0;
      for (const piece of pieces) {
        for (let start = 0; start < piece.length; ) {
          const length = Math.min(piece.length - start, chunkBytes);
          const { bytesWritten } = await file.write(piece, start, length, position);
          start += bytesWritten;
          position += bytesWritten;
        }
      }
      if (before !== null) {
        const { uid, gid } = await file.stat();
        if (uid !== before.uid || gid !== before.gid) await file.chown(before.uid, before.gid).catch(unlessRefused);
        await file.chmod(before.mode & 0o7777);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target.path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Only a privileged process may change the owner. */
function unlessRefused(error: unknown): void {
  if (codeOf(error) !== "EPERM") throw error;
}
