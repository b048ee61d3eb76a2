/** How many of the last steps count. */
const remembered = 101;

/** The pace of the last steps. A pause, for an evaluation or a checkpoint, does not move the median. */
export class Pace {
  readonly #seconds: number[] = [];
  readonly #rows: number[] = [];
  #next = 0;

  add(seconds: number, rows: number): void {
    this.#seconds[this.#next] = seconds;
    this.#rows[this.#next] = rows;
    this.#next = (this.#next + 1) % remembered;
  }

  /** The median of the seconds that a step took; null before the first step. */
  get secondsPerStep(): number | null {
    const sorted = [...this.#seconds].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? null;
  }

  get rowsPerSecond(): number | null {
    const seconds = this.secondsPerStep;
    if (seconds === null || seconds === 0) return null;
    return this.#rows.reduce((sum, rows) => sum + rows, 0) / this.#rows.length / seconds;
  }
}
