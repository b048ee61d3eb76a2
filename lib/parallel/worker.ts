/** The worker: imports the job, and computes with the copy of nabla that the job uses. */
import "../index.js";
import { importJob } from "../job/job-module.js";
import { packError } from "./error.js";
import { type Serve, serve, serveKey, type WorkerReply, type WorkerSetup, type WorkerTask } from "./serve.js";
import type { Shard } from "./shard.js";
import type { ShardResult } from "./slots.js";

async function prepare(setup: WorkerSetup): Promise<ReturnType<Serve>> {
  const job = await importJob(setup.url, " in a worker");
  const own = Reflect.get(job, serveKey()) as Serve | undefined;
  return (own ?? serve)(job, setup);
}

/** Gives the function that computes shards until all are taken; an error of the job is the reply to each. */
export default async function start(setup: WorkerSetup): Promise<(task: WorkerTask) => WorkerReply[]> {
  const [ready] = await Promise.allSettled([prepare(setup)]);
  return (task) => run(task, ready);
}

function run(task: WorkerTask, ready: PromiseSettledResult<ReturnType<Serve>>): WorkerReply[] {
  const replies: WorkerReply[] = [];
  const each = (compute: (shard: Shard) => ShardResult): WorkerReply[] => {
    for (;;) {
      const shard = task.shards[Atomics.add(task.taken, 0, 1)];
      if (shard === undefined) return replies;
      try {
        replies.push({ shard: shard.index, ...compute(shard) });
      } catch (error) {
        replies.push({ shard: shard.index, error: packError(error) });
      }
    }
  };
  try {
    if (ready.status === "rejected") throw ready.reason;
    return ready.value(task, each);
  } catch (error) {
    return each(() => {
      throw error;
    });
  }
}
