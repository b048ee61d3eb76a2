/** Linear algebra in the plainest way, on small well-conditioned matrices: none of it is how the library computes. */
import { type Arr, arr, count } from "./array.js";

type Matrix = number[][];

const sizes = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const transpose = (a: Matrix, columns: number): Matrix => sizes(columns).map((j) => a.map((row) => row[j]!));
const dot = (x: readonly number[], y: readonly number[]): number => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
const times = (a: Matrix, b: Matrix, columns: number): Matrix => {
  const transposed = transpose(b, columns);
  return a.map((row) => transposed.map((column) => dot(row, column)));
};

/** f of the matrices at each place of the batch, which broadcast; `trailing` is the shape of a result. */
export function perMatrix(
  xs: readonly Arr[],
  trailing: readonly number[],
  f: (...matrices: Matrix[]) => number | number[] | Matrix,
): Arr {
  const batches = xs.map((x) => x.shape.slice(0, -2));
  const batch = batches.reduce((a, b) => (a.length >= b.length ? a : b));
  const results = sizes(count(batch)).map((i) =>
    f(
      ...xs.map((x) => {
        const [m, n] = x.shape.slice(-2) as [number, number];
        const at = m * n === 0 ? 0 : (i * m * n) % x.data.length;
        return sizes(m).map((r) => x.data.slice(at + r * n, at + (r + 1) * n) as number[]);
      }),
    ),
  );
  return arr([...batch, ...trailing], [results].flat(4) as number[]);
}

/** Gauss and Jordan, with the largest pivot of the column. */
export function solve(a: Matrix, b: Matrix): Matrix {
  const rows = a.map((row, i) => [...row, ...b[i]!]);
  const n = a.length;
  for (let j = 0; j < n; j++) {
    const best = sizes(n - j).reduce((at, i) => (Math.abs(rows[j + i]![j]!) > Math.abs(rows[at]![j]!) ? j + i : at), j);
    [rows[j], rows[best]] = [rows[best]!, rows[j]!];
    const pivot = rows[j]!.map((value) => value / rows[j]![j]!);
    for (let i = 0; i < n; i++)
      rows[i] = i === j ? pivot : rows[i]!.map((value, k) => value - rows[i]![j]! * pivot[k]!);
  }
  return rows.map((row) => row.slice(n));
}

/** Laplace's expansion. */
export function det(a: Matrix): number {
  if (a.length === 0) return 1;
  return a[0]!.reduce((sum, value, j) => {
    const minor = a.slice(1).map((row) => row.filter((_, k) => k !== j));
    return sum + (j % 2 === 0 ? 1 : -1) * value * det(minor);
  }, 0);
}

export function cholesky(a: Matrix): Matrix {
  const l = a.map((row) => row.map(() => 0));
  for (let i = 0; i < a.length; i++)
    for (let j = 0; j <= i; j++) {
      const rest = a[i]![j]! - dot(l[i]!, l[j]!);
      l[i]![j] = i === j ? Math.sqrt(rest) : rest / l[j]![j]!;
    }
  return l;
}

/** Gram and Schmidt, twice; the diagonal of r is positive. */
export function qr(a: Matrix, n: number): { q: Matrix; r: Matrix } {
  const columns = transpose(a, n);
  const q: Matrix = [];
  for (const column of columns.slice(0, a.length)) {
    let rest = column;
    for (const before of [...q, ...q]) {
      const along = dot(before, rest);
      rest = rest.map((value, i) => value - along * before[i]!);
    }
    const norm = Math.sqrt(dot(rest, rest));
    q.push(rest.map((value) => value / norm));
  }
  const transposed = transpose(q, a.length);
  return { q: transposed, r: q.map((row, i) => columns.map((column, j) => (j < i ? 0 : dot(row, column)))) };
}

/** The sign with which the element of largest absolute value is positive. */
const sign = (x: readonly number[]): number =>
  Math.sign(x.reduce((best, value) => (Math.abs(value) > Math.abs(best) ? value : best), 0));

/** The unshifted QR iteration, for eigenvalues that are positive and far apart; vectors as columns. */
export function eigh(a: Matrix): { values: number[]; vectors: Matrix } {
  const n = a.length;
  let rest = a;
  let vectors = a.map((row, i) => row.map((_, j) => Number(i === j)));
  for (let step = 0; step < 400; step++) {
    const { q, r } = qr(rest, n);
    rest = times(r, q, n);
    vectors = times(vectors, q, n);
  }
  const order = sizes(n).sort((i, j) => rest[i]![i]! - rest[j]![j]!);
  const columns = order.map((i) => vectors.map((row) => row[i]!));
  const values = columns.map((v) =>
    dot(
      v,
      a.map((row) => dot(row, v)),
    ),
  );
  return {
    values,
    vectors: transpose(
      columns.map((v) => v.map((x) => x * sign(v))),
      n,
    ),
  };
}

/** Through the eigenvectors of aᵀ a, for a tall a. */
export function svd(a: Matrix, n: number): { u: Matrix; s: number[]; vh: Matrix } {
  const { vectors } = eigh(times(transpose(a, n), a, n));
  const vh = transpose(vectors, n).reverse();
  const images = vh.map((v) => a.map((row) => dot(row, v)));
  const s = images.map((image) => Math.sqrt(dot(image, image)));
  const u = images.map((image, i) => image.map((value) => value / s[i]!));
  return {
    u: transpose(
      u.map((x) => x.map((value) => value * sign(x))),
      a.length,
    ),
    s,
    vh: vh.map((v, i) => v.map((value) => value * sign(u[i]!))),
  };
}

/** By the normal equations, for full rank. */
export function pinv(a: Matrix, n: number): Matrix {
  const transposed = transpose(a, n);
  if (a.length >= n) return solve(times(transposed, a, n), transposed);
  return transpose(solve(times(a, transposed, a.length), a), n);
}

export { times, transpose };
