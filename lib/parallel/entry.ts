/**
 * The worker file for piscina, compiled to CommonJS: terminating a thread while it requires an ES module would abort
 * the process, and loaders patch `require`.
 */
import { workerData } from "node:worker_threads";

type Run = (task: unknown) => unknown;

const fails = (error: unknown): Run => {
  return () => {
    throw error;
  };
};

// piscina passes its own data as [.., workerData].
const { worker } = (Array.isArray(workerData) ? workerData.at(-1) : workerData) as { readonly worker: string };
const run: Promise<Run> = import(worker).then((module: { readonly default: Run }) => module.default, fails);
export default run;
