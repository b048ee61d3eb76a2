/** Convolutions by their definition, one product after the other. */
import { type Arr, build, pick, total } from "./array.js";

export interface Geometry {
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly dilation: readonly [number, number];
  readonly groups: number;
}
export const geometry = (of: Partial<Geometry> = {}): Geometry => ({
  stride: [1, 1],
  padding: [0, 0],
  dilation: [1, 1],
  groups: 1,
  ...of,
});

/** The sum of f(i, j, k) over i < a, j < b, k < c. */
function sum(a: number, b: number, c: number, f: (i: number, j: number, k: number) => number): number {
  const terms: number[] = [];
  for (let i = 0; i < a; i++) for (let j = 0; j < b; j++) for (let k = 0; k < c; k++) terms.push(f(i, j, k));
  return total(terms);
}
/** Where element i of the window lies when the window is at place p. */
const at = (p: number, i: number, d: 0 | 1, g: Geometry): number => p * g.stride[d] - g.padding[d] + i * g.dilation[d];
const element = (x: Arr, index: readonly number[]): number =>
  index.every((i, d) => i >= 0 && i < x.shape[d]!) ? pick(x, index) : 0;

export function conv2d(x: Arr, w: Arr, g: Geometry): Arr {
  const [out, channels, rows, cols] = w.shape as [number, number, number, number];
  const places = ([rows, cols] as const).map(
    (size, d) => Math.floor((x.shape[2 + d]! + 2 * g.padding[d]! - g.dilation[d]! * (size - 1) - 1) / g.stride[d]!) + 1,
  );
  return build([x.shape[0]!, out, ...places], (index) => {
    const [n, o, y, z] = index as [number, number, number, number];
    const first = Math.floor(o / (out / g.groups)) * channels;
    return sum(
      channels,
      rows,
      cols,
      (c, i, j) => pick(w, [o, c, i, j]) * element(x, [n, first + c, at(y, i, 0, g), at(z, j, 1, g)]),
    );
  });
}

/** The transpose in x, which has the given height and width. */
export function convInput(g: Arr, w: Arr, size: readonly number[], of: Geometry): Arr {
  const [out, channels, rows, cols] = w.shape as [number, number, number, number];
  return build([g.shape[0]!, channels * of.groups, ...size], (index) => {
    const [n, c, y, z] = index as [number, number, number, number];
    const perGroup = out / of.groups;
    const first = Math.floor(c / channels) * perGroup;
    const place = (p: number, i: number, d: 0 | 1): number => {
      const q = (p + of.padding[d] - i * of.dilation[d]) / of.stride[d];
      return Number.isInteger(q) ? q : -1;
    };
    return sum(
      perGroup,
      rows,
      cols,
      (o, i, j) =>
        pick(w, [first + o, c % channels, i, j]) * element(g, [n, first + o, place(y, i, 0), place(z, j, 1)]),
    );
  });
}

/** The transpose in the weight, whose window is given. */
export function convWeight(g: Arr, x: Arr, window: readonly number[], of: Geometry): Arr {
  const [n, out, height, width] = g.shape as [number, number, number, number];
  const channels = x.shape[1]! / of.groups;
  return build([out, channels, ...window], (index) => {
    const [o, c, i, j] = index as [number, number, number, number];
    const first = Math.floor(o / (out / of.groups)) * channels;
    return sum(
      n,
      height,
      width,
      (m, y, z) => pick(g, [m, o, y, z]) * element(x, [m, first + c, at(y, i, 0, of), at(z, j, 1, of)]),
    );
  });
}
