import { LRScheduler } from "./lr-scheduler.js";

/** A schedule with a formula for the rate of a group. */
export abstract class RateSchedule extends LRScheduler {
  /** @internal The rate after `epoch` steps of a group whose rate was `lr` until now; at step 0, that begins with `lr`. */
  protected abstract rate(lr: number, epoch: number, group: number): number;

  /** The last thing that a constructor does. */
  protected begin(): void {
    this.moveTo(0, this.getLastLr());
  }

  /** @internal */
  moveTo(epoch: number, from: readonly number[]): void {
    this.adoptGroups();
    const rates = from.map((lr, g) => this.rate(lr, epoch, g));
    this.lastEpoch = epoch;
    this.optimizer.paramGroups.forEach((group, g) => {
      group.lr = rates[g]!;
    });
  }
}
