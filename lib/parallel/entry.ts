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
const setup = (Array.isArray(workerData) ? workerData.at(-1) : workerData) as { readonly worker: string };
type Start = (given: unknown) => Promise<Run>;
const run: Promise<Run> = import(setup.worker)
  .then(({ default: start }: { readonly default: Start }) => start(setup))
  .catch(fails);
export default run;
