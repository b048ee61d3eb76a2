import { LRScheduler } from "./lr-scheduler.js";

/** A schedule with a formula for the rate of a group. */
export abstract class RateSchedule extends LRScheduler {
  /** @internal The rate after `epoch` steps, given the current rate `lr`; at step 0, `lr` is the initial one. */
  protected abstract rate(lr: number, epoch: number, group: number): number;

  /** To be called at the end of a constructor. */
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
