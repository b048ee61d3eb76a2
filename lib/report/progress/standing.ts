/** What there is to say of a run that trains, as short texts, the most important first. */

import { byteText, duration, figure, grouped } from "../../core/words.js";
import type { StepEvent } from "../../train/events.js";
import type { Pace } from "./pace.js";

export interface Standing {
  readonly last: StepEvent;
  /** The steps of the whole run, where the data tells. */
  readonly steps: number | null;
  readonly pace: Pace;
  /** The bytes that the process occupies. */
  readonly memory: number;
}

/** The share of the steps that are made; null where nobody knows how many there are. */
export const shareOf = ({ last, steps }: Standing): number | null =>
  steps === null ? null : Math.min(1, last.step / Math.max(1, steps));

export function textsOf(standing: Standing): string[] {
  const { last, steps, pace, memory } = standing;
  const share = shareOf(standing);
  const seconds = pace.secondsPerStep;
  const rows = pace.rowsPerSecond;
  const texts = [
    share === null ? null : `${Math.floor(100 * share)} %`,
    `loss ${figure(last.loss)}`,
    seconds === null || steps === null ? null : `${duration((steps - last.step) * seconds)} left`,
    `step ${grouped(last.step)}${steps === null ? "" : `/${grouped(steps)}`}`,
    `epoch ${grouped(last.epoch + 1)}`,
    rows === null ? null : `${figure(rows)} rows/s`,
    last.gradNorm === null ? null : `|grad| ${figure(last.gradNorm)}`,
    byteText(memory),
  ];
  return texts.filter((text) => text !== null);
}
