/** From `from` to `to` along half a cosine wave, `share` of the way. */
export const cosine = (from: number, to: number, share: number): number =>
  to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;

/** From `from` to `to` in a straight line, `share` of the way. */
export const linear = (from: number, to: number, share: number): number => from + (to - from) * share;
