/** Which evaluation is the best, and when there has been no better one for too long. */
import type { Goal, StopOptions } from "../job/job.js";

/** The direction of a metric: losses are to fall, all others to rise. */
const fallsOf = ({ metric, mode }: Goal): boolean => (mode === undefined ? metric.endsWith(".loss") : mode === "min");

/** Whether a value is better than the best so far; NaN never is. */
function isBetter(goal: Goal, value: number, best: number | null, minDelta = 0): boolean {
  if (best === null) return !Number.isNaN(value);
  return fallsOf(goal) ? value < best - minDelta : value > best + minDelta;
}

export interface BestState {
  readonly step: number;
  readonly value: number;
  /** The checkpoint of that step, where one is kept. */
  readonly path: string | null;
}

/** The best evaluation so far. */
export class Best {
  readonly goal: Goal;
  state: BestState | null = null;

  constructor(goal: Goal) {
    this.goal = goal;
  }

  /** Whether these metrics are the best; then `path` is where their checkpoint goes. */
  update(metrics: Readonly<Record<string, number>>, step: number, path: string | null): boolean {
    const value = metrics[this.goal.metric]!;
    if (!isBetter(this.goal, value, this.state?.value ?? null)) return false;
    this.state = { step, value, path };
    return true;
  }
  stateDict(): BestState | null {
    return this.state;
  }
  loadStateDict(state: BestState | null): void {
    this.state = state;
  }
}

/** Stops a run after too many evaluations in a row without progress. */
export class EarlyStopping {
  readonly options: StopOptions;
  private best: number | null = null;
  private without = 0;

  constructor(options: StopOptions) {
    this.options = options;
  }

  get done(): boolean {
    return this.without >= this.options.patience;
  }
  update(metrics: Readonly<Record<string, number>>): void {
    const value = metrics[this.options.metric]!;
    if (isBetter(this.options, value, this.best, this.options.minDelta)) {
      this.best = value;
      this.without = 0;
    } else this.without++;
  }
  stateDict(): { best: number | null; without: number } {
    return { best: this.best, without: this.without };
  }
  loadStateDict({ best, without }: { best: number | null; without: number }): void {
    this.best = best;
    this.without = without;
  }
}
