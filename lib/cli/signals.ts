/** Signals to a training run: they are only noted here, and what they ask for happens between two steps. */
import { constants } from "node:os";

/** A system that does not know one of them never sends it. */
const endings = ["SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"] as const;

export interface Signals {
  /** Aborted by the first signal that ends the run; a second one ends the process at once. */
  readonly signal: AbortSignal;
  remove(): void;
}

/** Listens until `remove`: SIGUSR2 calls `save`, the first signal that ends the run calls `end` with its name. */
export function listen({ save, end }: { save: () => void; end: (name: string) => void }): Signals {
  const controller = new AbortController();
  const onEnding = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(128 + constants.signals[name]);
    controller.abort(name);
    end(name);
  };
  for (const name of endings) process.on(name, onEnding);
  process.on("SIGUSR2", save);
  return {
    signal: controller.signal,
    remove: () => {
      for (const name of endings) process.off(name, onEnding);
      process.off("SIGUSR2", save);
    },
  };
}
