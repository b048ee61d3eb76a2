/** Some neighboring values of a curve. */
export interface Column {
  /** The first x. */
  readonly x: number;
  readonly least: number;
  readonly most: number;
  readonly sum: number;
  readonly count: number;
}

const merged = (a: Column, b: Column): Column => ({
  x: a.x,
  least: Math.min(a.least, b.least),
  most: Math.max(a.most, b.most),
  sum: a.sum + b.sum,
  count: a.count + b.count,
});

function halved(columns: readonly Column[]): Column[] {
  const half: Column[] = [];
  for (let i = 0; i < columns.length; i += 2) {
    const [a, b] = [columns[i]!, columns[i + 1]];
    half.push(b === undefined ? a : merged(a, b));
  }
  return half;
}

/** A curve of any length in a bounded number of columns, which keep the least and the most of their values. */
export class Envelope {
  #columns: Column[] = [];
  /** The number of values in each column but the last. */
  #width = 1;
  readonly #most: number;

  /** At most so many columns, an even number. */
  constructor(most: number) {
    this.#most = most;
  }

  /** The curve in at most so many columns. */
  within(most: number): readonly Column[] {
    let columns: readonly Column[] = this.#columns;
    while (columns.length > most) columns = halved(columns);
    return columns;
  }

  /** Adds a value to the right of all others. One that is not finite has no place on a curve. */
  add(x: number, y: number): void {
    if (!Number.isFinite(y)) return;
    const value: Column = { x, least: y, most: y, sum: y, count: 1 };
    const last = this.#columns.at(-1);
    if (last !== undefined && last.count < this.#width) {
      this.#columns[this.#columns.length - 1] = merged(last, value);
      return;
    }
    if (this.#columns.length === this.#most) {
      this.#columns = halved(this.#columns);
      this.#width *= 2;
    }
    this.#columns.push(value);
  }
}
