/** What the page of a report draws. It runs in a browser, so this imports nothing. */
export interface PlottedCurve {
  readonly name: string;
  /** The first step of each column. */
  readonly x: number[];
  readonly mean: number[];
  /** Where columns hold more than one value. */
  readonly least?: number[];
  readonly most?: number[];
}

export interface PlottedChart {
  readonly title: string;
  readonly curves: readonly PlottedCurve[];
}
