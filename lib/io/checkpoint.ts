/** Checkpoints: one safetensors file with everything that a training run needs to continue with the same bits. */
import { refuse } from "../core/arguments.js";
import { breather } from "../core/breather.js";
import { ownVersion } from "../core/copy.js";
import { writeAtomically } from "../core/file.js";
import { type FilePath, pathOf } from "../core/path.js";
import { refuse as malformed, type Source } from "../core/source.js";
import { isPlain } from "../core/tree.js";
import { defaultGenerator } from "../ops/random.js";
import type { Tensor } from "../tensor/tensor.js";
import { checksum, checksumOfText } from "./checksum.js";
import { place, readTensors } from "./safetensors.js";
import { type Entry, formatHeader, type Header } from "./safetensors-header.js";
import { decodeState, encodeState, isStateful, type Stateful } from "./state-json.js";

/** The format that this version writes; it reads all up to it. */
const format = 1;

/** The metadata of a checkpoint, all of it JSON. */
const notes = {
  format: "nabla.checkpoint",
  version: "nabla.version",
  state: "nabla.state",
  random: "nabla.random",
  /** The CRC-32 of each tensor's bytes, by name. */
  sums: "nabla.crc32",
  /** The CRC-32 of the header: of its entries and of the other notes. */
  sum: "nabla.crc32.header",
} as const;

const summed = Object.values(notes).filter((note) => note !== notes.sum);

type Metadata = Readonly<Record<string, string>>;

const checksumOfHeader = (entries: readonly Entry[], metadata: Metadata): number =>
  checksumOfText(
    JSON.stringify([
      entries.map(({ name, dtype, shape, begin, end }) => [name, dtype, shape, begin, end].join(" ")).sort(),
      summed.map((note) => metadata[note]),
    ]),
  );

/** What a checkpoint holds, by name: what has a `stateDict`, tensors, and plain data. */
export type CheckpointParts = Readonly<Record<string, unknown>>;

/** Where the states of a checkpoint go: what has a `loadStateDict`, or a list or object of such, under the same names. */
export interface CheckpointTargets {
  readonly [name: string]: Stateful | readonly Stateful[] | CheckpointTargets;
}

/**
 * Writes a checkpoint: one safetensors file with the states of everything that has a `stateDict` (modules, optimizers,
 * schedules, loaders, `DataParallel`, generators), tensors and plain data, by name. The state of the default random
 * generator is always included. The values are those at the time of the call. The file appears under its name once it
 * is complete and on disk: if the process is killed before, the file that was there stays as it was. Any reader of
 * safetensors finds the tensors, under names such as `model.0.weight`.
 * @throws ERR_ARGUMENT for a value that is neither of these, and for a folder, device, FIFO or socket; Node's own errors
 * of the file system.
 * @example
 * await saveCheckpoint("last.safetensors", { model, optimizer, schedule, loader, epoch: 3 });
 */
export async function saveCheckpoint(path: FilePath, parts: CheckpointParts): Promise<void> {
  const op = "saveCheckpoint";
  const target = pathOf(op, path);
  if (!isPlain(parts)) refuse(op, "the content", "an object of what to save", parts);
  const { json, tensors } = encodeState(op, parts);
  const random = JSON.stringify(defaultGenerator.stateDict());
  const placed = place(tensors);

  const pause = breather();
  const sums: [string, number][] = [];
  for (const { name, bytes } of placed) sums.push([name, await checksum(bytes, pause)]);
  const metadata: Record<string, string> = {
    [notes.format]: `${format}`,
    [notes.version]: ownVersion(),
    [notes.state]: json,
    [notes.random]: random,
    [notes.sums]: encodeState(op, Object.fromEntries(sums)).json,
  };
  metadata[notes.sum] = `${checksumOfHeader(placed, metadata)}`;
  const start = formatHeader(op, { entries: placed, metadata });
  await writeAtomically(op, target, [start, ...placed.map(({ bytes }) => bytes)]);
}

/**
 * Reads a checkpoint of {@link saveCheckpoint}: hands the states to the objects in `into`, in their order, by
 * `loadStateDict`; restores the default random generator; and returns everything else that was saved. The objects must
 * have been made as those that were saved. Every byte is compared with its checksum before anything is changed.
 * @throws ERR_FORMAT for a file that is damaged or no checkpoint, that a later version of the format wrote, that lacks a
 * name in `into`, or has more in one of its lists or groups; what `loadStateDict` throws for a state that does not fit; for a missing file Node's ENOENT error.
 * @example
 * const { epoch } = await loadCheckpoint<{ epoch: number }>("last.safetensors", { model, optimizer, schedule, loader });
 */
export async function loadCheckpoint<R extends object = Record<string, unknown>>(
  path: FilePath,
  into: CheckpointTargets = {},
): Promise<R> {
  const op = "loadCheckpoint";
  const source: Source = { op, name: pathOf(op, path) };
  if (!isPlain(into)) refuse(op, "the targets", "an object of what has a loadStateDict", into);
  const pause = breather();
  let sums: ReadonlyMap<unknown, unknown> = new Map();
  const checks = {
    header(header: Header) {
      sums = checkedSums(header, source);
    },
    async elements({ name }: Entry, bytes: Uint8Array) {
      if ((await checksum(bytes, pause)) !== sums.get(name))
        malformed(source, `the file is damaged: tensor "${name}" differs from its checksum`);
    },
  };
  const { header, tensors } = await readTensors(source, { checks });
  const [state, random] = [notes.state, notes.random].map((note) => plainNote(header, note, source, tensors));
  if (!["seed", "calls"].every((key) => Number.isSafeInteger(random![key]) && (random![key] as number) >= 0))
    malformed(source, `the note "${notes.random}" is no state of a random generator`);

  const found: [Stateful, unknown][] = [];
  const match = (target: unknown, saved: unknown, at: string): void => {
    if (saved === undefined) malformed(source, `the checkpoint has no ${at}`);
    if (isStateful(target)) return void found.push([target, saved]);
    if (!Array.isArray(target) && !isPlain(target)) refuse(op, at, "an object with a loadStateDict", target);
    const under = (key: string): string => (at === "" ? key : `${at}.${key}`);
    for (const [key, part] of Object.entries(target)) match(part, memberOf(saved, key), under(key));
    // What is left over at the top is returned; further down nobody would see it.
    const left = at === "" ? undefined : Object.keys(saved as object).find((key) => !Object.hasOwn(target, key));
    if (left !== undefined) malformed(source, `no target takes ${under(left)}`);
  };
  match(into, state, "");
  for (const [target, saved] of found) target.loadStateDict(saved as never);
  defaultGenerator.loadStateDict(random as unknown as RandomState);
  return Object.fromEntries(Object.entries(state!).filter(([key]) => !Object.hasOwn(into, key))) as R;
}

type RandomState = ReturnType<typeof defaultGenerator.stateDict>;

const memberOf = (saved: unknown, key: string): unknown =>
  typeof saved === "object" && saved !== null && Object.hasOwn(saved, key) ? Reflect.get(saved, key) : undefined;

/** The checksums of the tensors; ERR_FORMAT for the header of anything but a checkpoint that this version reads. */
function checkedSums({ entries, metadata }: Header, source: Source): ReadonlyMap<unknown, unknown> {
  const written = metadata[notes.format];
  if (written === undefined) malformed(source, "no checkpoint", "a file of saveCheckpoint", "other tensors");
  if (!/^[1-9]\d*$/.test(written)) malformed(source, `the note "${notes.format}" is no format`, "an integer", written);
  if (Number(written) > format) {
    const newer = `format ${written} of nabla ${metadata[notes.version]}`;
    malformed(source, "the checkpoint is of a later version", `format ${format} or earlier`, newer);
  }
  if (metadata[notes.sum] !== `${checksumOfHeader(entries, metadata)}`)
    malformed(source, "the file is damaged: its header differs from its checksum");
  return new Map(Object.entries(plainNote({ entries, metadata }, notes.sums, source)));
}

/** The object in a note; ERR_FORMAT for anything else, which only a program other than saveCheckpoint writes. */
function plainNote(
  { metadata }: Header,
  note: string,
  source: Source,
  tensors: ReadonlyMap<string, Tensor> = new Map(),
): Record<string, unknown> {
  const bad = (fact: string): never => malformed(source, `the note "${note}" is not valid: ${fact}`);
  const value = decodeState(metadata[note] ?? "", tensors, bad);
  return isPlain(value) ? value : bad("no object");
}
