/** Waits for batches. The wait can be ended, so that data which never comes does not hold up the end of a run. */
export class Feed {
  private stopped = false;
  private wake: (() => void) | null = null;
  private waited = 0;

  /** Ends the wait, and all that are to come. */
  stop(): void {
    this.stopped = true;
    this.wake?.();
  }

  /** The next batch, or null if the wait has been ended. */
  async next(iterator: AsyncIterator<unknown>): Promise<IteratorResult<unknown> | null> {
    if (this.stopped) return null;
    const start = performance.now();
    const pending = Promise.resolve(iterator.next());
    let settled = false;
    // What ends the wait gets no batch: a function that knows one, in a field, keeps batches until a major collection.
    await new Promise<void>((resolve) => {
      const settle = (): void => {
        settled = true;
        resolve();
      };
      this.wake = resolve;
      pending.then(settle, settle);
    });
    this.wake = null;
    this.waited += performance.now() - start;
    return settled ? pending : null;
  }

  /** Closes a loader, without waiting for one that waits itself. */
  async close(iterator: AsyncIterator<unknown>): Promise<void> {
    const closing = iterator.return?.();
    if (this.stopped) closing?.catch(() => undefined);
    else await closing;
  }

  /** The milliseconds of waiting since the last call. */
  takeWaited(): number {
    const { waited } = this;
    this.waited = 0;
    return waited;
  }
}
