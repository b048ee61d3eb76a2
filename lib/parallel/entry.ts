/**
 * The worker file for piscina, compiled to CommonJS: terminating a thread while it requires an ES module would abort
 * the process, and loaders patch `require`.
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
