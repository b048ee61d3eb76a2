/** Signals to a training run: they are only noted here, and what they ask for happens between two steps. */
import { constants } from "node:os";

/** A system that does not know one of them never sends it. */
const endings = ["SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"] as const;

/**
 * npm, yarn and pnpm pass a terminal's signal on to what they run, which the terminal has sent it to already: the same
 * signal within so many milliseconds is the same.
 */
const echo = process.env["npm_lifecycle_event"] === undefined ? 0 : 500;

export interface Signals {
  /** Aborted by the first signal that ends the run; a second one ends the process at once. */
  readonly signal: AbortSignal;
  remove(): void;
}

/** Listens until `remove`: SIGUSR2 calls `save`, the first signal that ends the run calls `end` with its name. */
export function listen({ save, end }: { save: () => void; end: (name: string) => void }): Signals {
  const controller = new AbortController();
  let first = 0;
  const onEnding = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      if (name === controller.signal.reason && performance.now() - first < echo) return;
      process.exit(128 + constants.signals[name]);
    }
    first = performance.now();
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
