/**
 * The file that piscina requires in a worker, compiled to CommonJS: to require an ES module would abort the process where
 * the thread is terminated meanwhile, and loaders give `require` modules of its own.
 */
import type { WorkerReply, WorkerTask } from "./serve.js";

type Run = (task: WorkerTask) => WorkerReply[];

const fails = (error: unknown): Run => {
  return () => {
    throw error;
  };
};

const run: Promise<Run> = import("./worker.js").then((worker) => worker.default, fails);
export default run;
