import type { EndEvent } from "../train/events.js";

/** How a run ended, as people read it. */
export const endings: Readonly<Record<EndEvent["reason"], string>> = {
  finished: "finished",
  stopped: "stopped early",
  aborted: "aborted",
  signal: "interrupted",
  nan: "the loss is not finite",
};
