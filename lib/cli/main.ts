#!/usr/bin/env node
/** The command line: what `nabla` runs. */
import "../index.js"; // all of the library, so that it stays one file in dist
import { Command, CommanderError, Option } from "commander";
import { ownVersion } from "../core/copy.js";
import { NablaError } from "../core/errors.js";
import type { Replacements } from "../train/settings.js";
import { compare } from "./compare.js";
import { exit, exitOfError, UsageError } from "./exit.js";
import { exportWeights } from "./export.js";
import { info } from "./info.js";
import { fieldFlags, numberFlag, takeArgs, timeFlag } from "./job-flags.js";
import { train } from "./train.js";

let code: number = exit.finished;

/** Prints what a command answers. */
const printed = async (answer: Promise<string>): Promise<void> => console.log(await answer);

/** The flags of `nabla train` as commander reads them. */
interface Given extends Replacements {
  readonly out?: string;
  readonly resume?: boolean;
  readonly fresh?: boolean;
  readonly allow?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly tensorboard?: boolean;
  readonly every: number;
}

function commands(args: ReadonlyMap<string, string>): Command {
  const program = new Command("nabla")
    .description("Trains models, and looks at what came of it.")
    .version(ownVersion())
    .exitOverride()
    .configureHelp({ showGlobalOptions: false });
  const training = program
    .command("train")
    .description("train a job")
    .argument("<job>", "a module whose default export is a job: job.ts or job.js");
  for (const [field, what] of Object.entries(fieldFlags))
    training.addOption(new Option(`--${field} <${what}>`, "in place of the job's own").argParser(numberFlag));
  training
    .option("--args.NAME <value>", "an argument of the job, in place of its own")
    .option("--out <folder>", "the folder of the run (default: runs/<job>-<time>)")
    .addOption(new Option("--resume", "go on from the newest checkpoint, where there is one").conflicts("fresh"))
    .option("--fresh", "remove the checkpoints, and begin at step 0")
    .option("--allow <fields>", "fields that may have changed since, such as batch,lr")
    .option("--dry-run", "show the model and what it takes; write nothing")
    .option("--tensorboard", "write event files for TensorBoard, too")
    .option("--every <time>", "the time between two lines of a log", timeFlag, 10_000)
    .addOption(new Option("--json", "events as lines of JSON on stdout; all else goes to stderr"))
    .option("--quiet", "only warnings and how it ended")
    .addHelpText("after", trainHelp)
    .action(async (job: string, given: Given) => {
      const { out, resume, fresh, allow, dryRun, json, quiet, tensorboard, every, ...fields } = given;
      code = await train(job, {
        out,
        resume: resume ?? false,
        fresh: fresh ?? false,
        allow: allow?.split(",").map((name) => name.trim()) ?? [],
        dryRun: dryRun ?? false,
        json: json ?? false,
        quiet: quiet ?? false,
        tensorboard: tensorboard ?? false,
        every,
        fields,
        args,
      });
    });
  program
    .command("info")
    .description("what nabla has of this machine, or what is in a file or a run")
    .argument("[path]", "a safetensors, npy or npz file, a checkpoint, or the folder of a run")
    .action(async (path?: string) => printed(info(path)));
  program
    .command("compare")
    .description("two runs side by side")
    .argument("<a>", "the folder of a run")
    .argument("<b>", "the folder of another")
    .action(async (a: string, b: string) => printed(compare(a, b)));
  program
    .command("export")
    .description("write the weights of a run")
    .argument("<run>", "the folder of a run, or a checkpoint")
    .requiredOption("--to <file>", "a safetensors file")
    .option("--best", "of the best checkpoint, in place of the newest")
    .action(async (run: string, { to, best = false }: { to: string; best?: boolean }) =>
      printed(exportWeights(run, to, best)),
    );
  return program;
}

const trainHelp = `
Signals: SIGINT, SIGTERM and SIGHUP end the run after a checkpoint, a second one ends it at once; SIGUSR2 saves one.
Exit codes: 0 finished; 64 wrong flags; 65 wrong job or data; 70 failed; 74 a file cannot be written;
75 interrupted, saved: start the same command with --resume; 76 the loss is not finite.`;

async function run(line: readonly string[]): Promise<void> {
  const { rest, args } = line[0] === "train" ? takeArgs(line) : { rest: line, args: new Map<string, string>() };
  const program = commands(args);
  if (line.length === 0) {
    program.outputHelp({ error: true });
    code = exit.usage;
    return;
  }
  await program.parseAsync(rest, { from: "user" });
}

try {
  await run(process.argv.slice(2));
} catch (error) {
  // Commander has said what is wrong with the command line.
  if (error instanceof CommanderError) code = error.exitCode === 0 ? exit.finished : exit.usage;
  else {
    const known =
      error instanceof NablaError || error instanceof UsageError || (error as { code?: unknown }).code !== undefined;
    console.error(known ? (error as Error).message : error);
    code = exitOfError(error, false);
  }
}
// Whatever a job has left open does not keep the process.
process.stdout.write("", () => process.exit(code));
