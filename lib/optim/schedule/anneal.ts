/** Cosine interpolation from `from` to `to`, at `share` of the way. */
export const cosine = (from: number, to: number, share: number): number =>
  to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;

/** Linear interpolation from `from` to `to`, at `share` of the way. */
export const linear = (from: number, to: number, share: number): number => from + (to - from) * share;
