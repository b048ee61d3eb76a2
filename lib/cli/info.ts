/** nabla info: what this machine is for nabla, or what is in a file or in the folder of a run. */
import { statSync } from "node:fs";
import { extname } from "node:path";
import { ownVersion } from "../core/copy.js";
import { byteText, duration, figure, grouped, shortened, table, visible } from "../core/words.js";
import { loadNpy } from "../io/npy.js";
import { loadNpz } from "../io/npz.js";
import { readFileHeader } from "../io/safetensors.js";
import { addon } from "../native/load.js";
import { memory, numThreads } from "../parallel/settings.js";
import { endings } from "../report/endings.js";
import { summarize } from "../report/summary.js";
import type { Tensor } from "../tensor/tensor.js";
import { checkpointsIn } from "../train/run-folder.js";

const op = "nabla info";
const longestNote = 100;

export async function info(path?: string): Promise<string> {
  if (path === undefined) return machine();
  if (statSync(path).isDirectory()) return ofRun(path);
  const kind = extname(path);
  if (kind === ".npy") return tensors([[path, await loadNpy(path, { map: true })]]);
  if (kind === ".npz") return tensors(Object.entries(await loadNpz(path)));
  return ofSafetensors(path);
}

const aligned = (rows: readonly (readonly [string, string])[]): string => table(rows, () => false).join("\n");

function machine(): string {
  const { limitBytes } = memory();
  return aligned([
    ["nabla", ownVersion()],
    ["Node", `${process.version}, ${process.platform} ${process.arch}`],
    ["kernels", `${addon.isa()} of ${addon.isas().join(", ")}`],
    ["threads", `${numThreads()}`],
    ["memory", `at most ${byteText(limitBytes)} for tensors`],
  ]);
}

interface Listed {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

function list(entries: readonly Listed[]): string {
  const rows = entries.map(({ name, dtype, shape, bytes }) => [
    visible(name),
    dtype,
    `[${shape.join(", ")}]`,
    byteText(bytes),
  ]);
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  const lines = table([["name", "dtype", "shape", "size"], ...rows], (column) => column === 3);
  return [
    ...lines,
    `${entries.length === 1 ? "1 tensor" : `${grouped(entries.length)} tensors`}, ${byteText(total)}`,
  ].join("\n");
}

const tensors = (named: readonly (readonly [string, Tensor])[]): string =>
  list(named.map(([name, { dtype, shape, numel, type }]) => ({ name, dtype, shape, bytes: numel * type.size })));

async function ofSafetensors(path: string): Promise<string> {
  const { entries, metadata } = await readFileHeader({ op, name: path });
  const notes = Object.entries(metadata).map(([key, text]) => {
    const length = text.length > longestNote ? ` (${grouped(text.length)} characters)` : "";
    return `${visible(key)}: ${visible(shortened(text, longestNote))}${length}`;
  });
  return [list(entries.map((entry) => ({ ...entry, bytes: entry.end - entry.begin }))), ...notes].join("\n");
}

async function ofRun(path: string): Promise<string> {
  const { last, steps, seconds, parameters, end, evaluations, best, starts } = await summarize(op, path);
  const checkpoints = await checkpointsIn(path);
  const step = last?.step ?? 0;
  const metrics = (of: Readonly<Record<string, number>>): string =>
    Object.entries(of)
      .map(([name, value]) => `${visible(name)} ${figure(value)}`)
      .join(", ");
  const evaluation = evaluations.at(-1);
  return aligned([
    ["run", visible(path)],
    ["state", end === null ? "has not ended" : endings[end.reason]],
    ["steps", steps === null ? grouped(step) : `${grouped(step)} of ${grouped(steps)}`],
    ["time in steps", duration(seconds)],
    ["restarts", grouped(Math.max(0, starts - 1))],
    ["parameters", grouped(parameters)],
    ["loss", last === null ? "–" : figure(last.loss)],
    ...(evaluation === undefined
      ? []
      : [["evaluated", `${metrics(evaluation.metrics)}, at step ${grouped(evaluation.step)}`] as const]),
    ...(best === null ? [] : [["best", `${metrics(best.metrics)}, at step ${grouped(best.step)}`] as const]),
    [
      "checkpoints",
      checkpoints.length === 0 ? "none" : `${checkpoints.length}, the newest is ${visible(checkpoints.at(-1)!)}`,
    ],
  ]);
}
