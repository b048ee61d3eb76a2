/** The fields of a run with their defaults, and where each value is from. */
import { fail } from "../core/errors.js";
import { isPlain } from "../core/tree.js";
import { checkFields, type FieldName } from "../job/fields.js";
import type {
  AnyJob,
  CheckpointOptions,
  Every,
  EveryStepsOrEpochs,
  Goal,
  InitOptions,
  StopOptions,
} from "../job/job.js";
import { argumentsOf } from "../parallel/data-parallel.js";

/** The fields that may be given to Trainer in place of the job's own. */
export const replaceable = [
  "args",
  "batch",
  "epochs",
  "steps",
  "lr",
  "clip",
  "accumulate",
  "ema",
  "evaluate",
  "stop",
  "checkpoint",
  "init",
  "seed",
  "workers",
  "shards",
] as const satisfies readonly FieldName[];

export type Replacements<J extends AnyJob = AnyJob> = { readonly [K in (typeof replaceable)[number]]?: J[K] };

export interface Settings {
  readonly args: unknown;
  readonly batch: number;
  /** One of the two is null. */
  readonly epochs: number | null;
  readonly steps: number | null;
  readonly lr: number;
  readonly clip: number | null;
  readonly accumulate: number;
  readonly ema: number | null;
  readonly evaluateEvery: EveryStepsOrEpochs;
  readonly stop: StopOptions | null;
  readonly checkpointEvery: Every;
  readonly keep: number;
  readonly best: Goal | null;
  readonly init: InitOptions | null;
  readonly seed: number;
  readonly workers: number;
  readonly shards: number;
}

const defaults = {
  batch: 32,
  epochs: 10,
  lr: 1e-3,
  accumulate: 1,
  evaluate: { every: { epochs: 1 } },
  checkpoint: { every: { minutes: 10 }, keep: 3 },
  seed: 0,
  workers: 0,
  shards: 8,
} as const;

/** Where the value of a field is from. */
export type Origin = "default" | "job" | "option";
/** The effective job: each field with its value, as far as JSON can show it, and its origin. */
export type Effective = Readonly<Record<string, { readonly value: unknown; readonly from: Origin }>>;

/** Plain data that JSON and checkpoints can hold. */
function isData(value: unknown, depth = 0): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (depth > 100) return false;
  const inner = Array.isArray(value) ? value : isPlain(value) ? Object.values(value) : null;
  return inner?.every((item) => isData(item, depth + 1)) ?? false;
}

const withoutUndefined = <T extends object>(fields: T | undefined): T =>
  Object.fromEntries(Object.entries(fields ?? {}).filter(([, value]) => value !== undefined)) as T;

/** The settings of a run of a job; what is given replaces its fields, members of `args` and `checkpoint` one by one. */
export function settingsOf(op: string, job: AnyJob, given: Replacements): { settings: Settings; effective: Effective } {
  checkFields(op, given, replaceable);
  const own: Partial<Record<FieldName, unknown>> = withoutUndefined(job);
  // The one replaces the other.
  if (given.epochs !== undefined) delete own.steps;
  if (given.steps !== undefined) delete own.epochs;
  const args = argumentsOf(own.args, given.args);
  if (args !== undefined && !isData(args))
    fail("ERR_ARGUMENT", op, "args cannot be saved", "numbers, texts, booleans, null, lists and plain objects of them");
  const counted = given.steps ?? own.steps;
  const usual = counted === undefined ? defaults : { ...defaults, epochs: undefined };
  const checkpoint: CheckpointOptions = {
    ...defaults.checkpoint,
    ...withoutUndefined(job.checkpoint),
    ...withoutUndefined(given.checkpoint),
  };
  const all = { ...usual, ...own, ...withoutUndefined(given), args, checkpoint } as Replacements;
  const { init } = all;
  const best = checkpoint.best ?? null;
  const settings: Settings = {
    args,
    batch: all.batch!,
    epochs: all.epochs ?? null,
    steps: all.steps ?? null,
    lr: all.lr!,
    clip: all.clip ?? null,
    accumulate: all.accumulate!,
    ema: all.ema ?? null,
    evaluateEvery: all.evaluate?.every ?? defaults.evaluate.every,
    stop: all.stop ?? null,
    checkpointEvery: checkpoint.every!,
    keep: checkpoint.keep!,
    best: typeof best === "string" ? { metric: best } : best,
    init: init === undefined ? null : typeof init === "object" && "path" in init ? init : { path: init },
    seed: all.seed!,
    workers: all.workers!,
    shards: all.shards!,
  };
  const effective: Record<string, { value: unknown; from: Origin }> = {};
  for (const [name, value] of Object.entries(all)) {
    if (value === undefined) continue;
    const from =
      Object.hasOwn(given, name) && given[name as keyof Replacements] !== undefined
        ? "option"
        : Object.hasOwn(own, name)
          ? "job"
          : "default";
    effective[name] = { value: isData(value) ? value : typeof value, from };
  }
  return { settings, effective };
}
