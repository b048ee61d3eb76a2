/** Arrays of float64 in row-major order, and the plainest code that computes with them. It knows nothing of nabla. */
export interface Arr {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export const count = (shape: readonly number[]): number => shape.reduce((n, size) => n * size, 1);

export const arr = (shape: readonly number[], data: readonly number[]): Arr => {
  if (data.length !== count(shape)) throw new Error(`reference: ${data.length} elements for [${shape}]`);
  return { shape, data };
};

/** Every index of a shape, in row-major order. */
export function indices(shape: readonly number[]): number[][] {
  let found: number[][] = [[]];
  for (const size of shape) found = found.flatMap((index) => Array.from({ length: size }, (_, i) => [...index, i]));
  return found;
}

/** The array whose element at each index is f(index). */
export const build = (shape: readonly number[], f: (index: readonly number[]) => number): Arr =>
  arr(shape, indices(shape).map(f));

/** The element at an index; dimensions of size 1 stretch, missing ones in front are ignored. */
export function get(x: Arr, index: readonly number[]): number {
  const own = index.slice(index.length - x.shape.length);
  const at = x.shape.reduce((sum, size, d) => sum * size + (size === 1 ? 0 : own[d]!), 0);
  return x.data[at]!;
}

export function broadcastShapes(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, d) => {
    const sizes = shapes.map((shape) => shape[d - rank + shape.length] ?? 1).filter((size) => size !== 1);
    if (new Set(sizes).size > 1) throw new Error("reference: shapes do not broadcast");
    return sizes[0] ?? 1;
  });
}

/** f of the elements of all arrays, broadcast to one shape. */
export function map(f: (...values: number[]) => number, ...xs: readonly Arr[]): Arr {
  return build(broadcastShapes(xs.map((x) => x.shape)), (index) => f(...xs.map((x) => get(x, index))));
}

export const expand = (x: Arr, shape: readonly number[]): Arr => build(shape, (index) => get(x, index));

export const permute = (x: Arr, order: readonly number[]): Arr =>
  build(
    order.map((d) => x.shape[d]!),
    (index) =>
      get(
        x,
        order.map((_, d) => index[order.indexOf(d)]!),
      ),
  );

/** `length` elements of one dimension from `start`, `step` apart. */
export const range = (x: Arr, dim: number, start: number, length: number, step = 1): Arr =>
  build(
    x.shape.map((size, d) => (d === dim ? length : size)),
    // Through `pick`: a dimension of size 1 must not stretch.
    (index) =>
      pick(
        x,
        index.map((i, d) => (d === dim ? start + i * step : i)),
      ),
  );

/** As {@link get} without stretching. */
export function pick(x: Arr, index: readonly number[]): number {
  const inside = index.every((i, d) => i >= 0 && i < x.shape[d]!) && index.length === x.shape.length;
  if (!inside) throw new Error(`reference: [${index}] is not inside [${x.shape}]`);
  return x.data[x.shape.reduce((sum, size, d) => sum * size + index[d]!, 0)]!;
}

/** The dimensions counted from the front; all of them where there is no list. */
export const dimsOf = (x: Arr, dims?: number | readonly number[]): number[] =>
  dims === undefined
    ? x.shape.map((_, d) => d)
    : (typeof dims === "number" ? [dims] : [...dims]).map((d) => (d < 0 ? d + Math.max(x.shape.length, 1) : d));

/** f of the list of elements that fall together when `dims` go. */
export function reduce(
  x: Arr,
  f: (values: number[]) => number,
  dims?: number | readonly number[],
  keepdim = false,
): Arr {
  const gone = dimsOf(x, dims);
  const kept = x.shape.map((size, d) => (gone.includes(d) ? 1 : size));
  const groups = new Map<string, number[]>();
  for (const index of indices(kept)) groups.set(index.join(), []);
  for (const index of indices(x.shape))
    groups.get(index.map((i, d) => (gone.includes(d) ? 0 : i)).join())!.push(pick(x, index));
  const shape = keepdim ? kept : x.shape.filter((_, d) => !gone.includes(d));
  return arr(shape, [...groups.values()].map(f));
}

/** The sum with the rounding errors carried along (Neumaier). */
export function total(values: readonly number[]): number {
  let sum = 0;
  let lost = 0;
  for (const value of values) {
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return Number.isFinite(sum) ? sum + lost : sum;
}

/** The matrix product by NumPy's rules. */
export function matmul(a: Arr, b: Arr): Arr {
  const left = a.shape.length === 1 ? arr([1, ...a.shape], a.data) : a;
  const right = b.shape.length === 1 ? arr([...b.shape, 1], b.data) : b;
  const m = left.shape.at(-2)!;
  const k = left.shape.at(-1)!;
  const n = right.shape.at(-1)!;
  const batch = broadcastShapes([left.shape.slice(0, -2), right.shape.slice(0, -2)]);
  const terms = Array.from({ length: k }, (_, i) => i);
  const out = build([...batch, m, n], (index) => {
    const [i, j] = index.slice(-2) as [number, number];
    const of = (x: Arr, row: number, column: number) => {
      const own = index.slice(0, -2).slice(batch.length - x.shape.length + 2);
      return pick(x, [...own.map((at, d) => (x.shape[d] === 1 ? 0 : at)), row, column]);
    };
    return total(terms.map((t) => of(left, i, t) * of(right, t, j)));
  });
  const shape = [...batch, ...(a.shape.length === 1 ? [] : [m]), ...(b.shape.length === 1 ? [] : [n])];
  return arr(shape, out.data);
}

/** f of each list of elements along a dimension, in the place of that list. */
export function mapAlong(x: Arr, dim: number, f: (values: number[]) => readonly number[]): Arr {
  const at = dim < 0 ? dim + Math.max(x.shape.length, 1) : dim;
  const n = x.shape[at] ?? 1;
  const inner = count(x.shape.slice(at + 1));
  const outer = count(x.shape.slice(0, at));
  const length = f(new Array<number>(n).fill(0)).length;
  const data = new Array<number>(outer * length * inner);
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      const values = Array.from({ length: n }, (_, j) => x.data[(o * n + j) * inner + i]!);
      f(values).forEach((value, j) => {
        data[(o * length + j) * inner + i] = value;
      });
    }
  return arr(
    x.shape.map((size, d) => (d === at ? length : size)),
    data,
  );
}
