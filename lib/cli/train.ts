/** nabla train: runs a job, shows it, and says by its exit code how it ended. */
import { basename, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { NablaError } from "../core/errors.js";
import { checkFields } from "../job/fields.js";
import { importJob } from "../job/job-module.js";
import { lineOf } from "../report/event-lines.js";
import { Progress } from "../report/progress/progress.js";
import type { Callback } from "../train/callbacks.js";
import { type Replacements, replaceable } from "../train/settings.js";
import { Trainer } from "../train/trainer.js";
import { dryRun } from "./dry-run.js";
import { exit, exitOfEnd, exitOfError, UsageError } from "./exit.js";
import { withArgs } from "./job-flags.js";
import { listen } from "./signals.js";
import { inFlags } from "./words.js";

export interface TrainFlags {
  readonly out?: string | undefined;
  readonly resume: boolean;
  readonly fresh: boolean;
  readonly allow: readonly string[];
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly tensorboard: boolean;
  /** The milliseconds between two lines of a log. */
  readonly every: number;
  /** Fields that replace the job's own. */
  readonly fields: Replacements;
  readonly args: ReadonlyMap<string, string>;
}

const op = "nabla train";

/** Runs a job to its end; the exit code. */
export async function train(path: string, flags: TrainFlags): Promise<number> {
  // Whoever reads the output may end before the run does.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  let started = false;
  const state: Callback = {
    name: "started",
    onStart: () => {
      started = true;
    },
  };
  let code: number = exit.finished;
  const out = flags.out ?? join("runs", `${nameOf(path)}-${timestamp(new Date())}`);
  try {
    const { url, replacements } = await prepare(path, flags);
    if (flags.dryRun) {
      console.log(await dryRun(url, replacements, out));
      return exit.finished;
    }
    const callbacks = [state, ...(await watching(out, flags))];
    const { resume, fresh, allow } = flags;
    const trainer = new Trainer(url, { ...replacements, out, resume, fresh, allow, callbacks });
    const signals = listen({
      save: () => trainer.save(),
      end: (name) => {
        console.error(`${name}: the run ends after this batch, with a checkpoint; once more ends it at once`);
        trainer.stop("signal");
      },
    });
    try {
      const { reason, unsaved } = await trainer.fit();
      code = unsaved === null ? exitOfEnd[reason] : exit.disk;
      if (unsaved !== null) console.error(`${op}: the last checkpoint could not be written: ${unsaved.message}`);
    } finally {
      signals.remove();
    }
  } catch (error) {
    console.error(explained(error));
    code = exitOfError(error, started);
  }
  return code;
}

/** The job's URL, and what the command line puts in place of its fields; a mistake there is found before any data is read. */
async function prepare(path: string, { fields, args }: TrainFlags): Promise<{ url: URL; replacements: Replacements }> {
  const url = pathToFileURL(resolve(path));
  try {
    checkFields(op, fields, replaceable);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const job = await importJob(url.href, undefined, op);
  return { url, replacements: { ...fields, args: withArgs(job.args, args) } };
}

/** What looks at the run. */
async function watching(out: string, flags: TrainFlags): Promise<Callback[]> {
  const { json, quiet, every, tensorboard } = flags;
  const warn = (message: string): void => console.error(`warning: ${message}`);
  const callbacks: Callback[] = [];
  if (tensorboard) {
    const { EventFile } = await import("../report/tensorboard/event-file.js");
    callbacks.push(new EventFile(out, warn));
  }
  if (json)
    callbacks.push({ name: "json", observe: (event) => void process.stdout.write(lineOf(event, Date.now() / 1000)) });
  callbacks.push(new Progress({ stream: json ? process.stderr : process.stdout, every, quiet }));
  return callbacks;
}

/** What went wrong: a sentence of this library, or an error of the job's own with the line where it was thrown. */
function explained(error: unknown): string {
  if (error instanceof UsageError || error instanceof NablaError) return inFlags(error.message);
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

const nameOf = (path: string): string => basename(path, extname(path));

const timestamp = (date: Date): string => date.toISOString().slice(0, 19).replaceAll(":", "-");
