/** The worker of a loader: imports the data set, and reads the batches that it is told. */
import "../index.js";
import { setDefaultDtype } from "../core/dtype.js";
import { describe, fail } from "../core/errors.js";
import { mapTree } from "../core/tree.js";
import { type Dataset, needDataset } from "../data/dataset.js";
import { type BatchPlan, readBatchAsync } from "../data/read-batch.js";
import { importModule } from "../job/job-module.js";
import { addon } from "../native/frame.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import { packError } from "./error.js";
import type { LoaderReply, LoaderSetup } from "./loader-reader.js";
import { share } from "./share.js";

const op = "DataLoader";

async function load({ url, args, length, dtype }: LoaderSetup): Promise<Dataset<unknown>> {
  // Workers share the cores, so inside each, kernels use one thread.
  addon.threads(1);
  setDefaultDtype(dtype);
  const module = await importModule(op, url, " in a worker", "data");
  const found: unknown = (module as { readonly default?: unknown } | null)?.default;
  const dataset = (await (typeof found === "function" ? Reflect.apply(found, undefined, [args]) : found)) as unknown;
  if (typeof dataset !== "object" || dataset === null)
    fail(
      "ERR_ARGUMENT",
      op,
      `${url} has no data set`,
      "export default a data set, or a function that gives it",
      describe(found),
    );
  needDataset(op, dataset as Dataset<unknown>);
  if ((dataset as Dataset<unknown>).length !== length)
    fail(
      "ERR_ARGUMENT",
      op,
      `the data set of ${url} differs in a worker`,
      `${length} samples`,
      `${(dataset as Dataset<unknown>).length}`,
    );
  return dataset as Dataset<unknown>;
}

const asTheyAre = (samples: never[]): unknown => samples;

/** ERR_ARGUMENT for samples that cannot be posted. Were they posted, Node would tell the other thread nothing of why. */
function needCloneable(samples: unknown): void {
  try {
    structuredClone(samples);
  } catch (error) {
    fail("ERR_ARGUMENT", op, "a sample cannot cross a thread", "tensors and plain data", (error as Error).message);
  }
}

type Loaded = PromiseSettledResult<Dataset<unknown>>;

/** Gives the function that reads a batch; an error of the data set is the reply to each. */
export default async function start(setup: LoaderSetup): Promise<(plan: BatchPlan) => Promise<LoaderReply>> {
  const [ready] = await Promise.allSettled([load(setup)]);
  return (plan) => read(plan, ready, setup.collates);
}

async function read(plan: BatchPlan, ready: Loaded, collates: boolean): Promise<LoaderReply> {
  try {
    if (ready.status === "rejected") throw ready.reason;
    const batch = await readBatchAsync(ready.value, plan, collates ? null : asTheyAre);
    const made: Tensor[] = [];
    const shared = mapTree(batch, isTensor, (x) => {
      made.push(x);
      return share(x);
    });
    // A batch is this thread's own, and plain; samples may be the data set's, and anything.
    if (collates) for (const x of made) x.dispose();
    else needCloneable(shared);
    return { batch: shared };
  } catch (error) {
    return { error: packError(error) };
  }
}
