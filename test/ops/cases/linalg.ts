/** Linear algebra. Matrices that are given, rather than drawn, are well-conditioned; symmetric ones are made inside. */
import * as nb from "nabla";
import { type Arr, build, map } from "../../reference/array.js";
import * as reference from "../../reference/linalg.js";
import { type Case, inParts, type Sample, type Wrong } from "./case.js";
import { results } from "./elementwise.js";
import { notPublic, row } from "./row.js";

type Shapes = readonly (readonly number[])[];
type Call = (xs: readonly nb.Tensor[]) => nb.Tensor;
type Reference = (xs: readonly Arr[]) => Arr;
const { perMatrix } = reference;

/** Elements in [-0.7, 0.7], and a diagonal that dominates them. */
const good = (shape: readonly number[]): number[] =>
  [
    ...build(shape, (index) => {
      const [i, j] = index.slice(-2) as [number, number];
      const at = index.reduce((sum, k) => 7 * sum + k, 1);
      return 0.7 * (2 * ((at * 0.6180339887498949) % 1) - 1) + (i === j ? 2 + 1.5 * i : 0);
    }).data,
  ].map(Math.fround);

/** Of matrices `given` by place, the rest drawn; the last sample is large. */
function matrices(
  call: Call,
  ref: Reference,
  given: readonly number[],
  of: readonly Shapes[],
  errors: readonly Wrong[],
  exact = 1,
): Case {
  const samples = of.map(
    (shapes): Sample => ({
      label: shapes.map((shape) => `[${shape.join()}]`).join(" "),
      shapes,
      call,
      reference: ref,
      values: Object.fromEntries(given.map((i) => [i, good(shapes[i]!)])),
    }),
  );
  return {
    inputs: of[0]!.map((_, i) => ({ name: "abc"[i]!, domain: [-0.7, 0.7] })),
    dtypes: ["float32", "float64"],
    result: results.same,
    samples: samples.slice(0, -1),
    large: samples.at(-1)!,
    // Computed in float64 and rounded once, where it is one kernel.
    accuracy: exact,
    floor: 1,
    double: 512,
    errors,
    exempt: { numbers: "it takes tensors", decomposition: "one formula: the value law says it" },
  };
}

const { ones, zeros } = nb;
const square: readonly Shapes[] = [
  [[3, 3]],
  [[1, 1]],
  [[2, 2, 2]],
  [[0, 0]],
  [[0, 2, 2]],
  [[2, 1, 3, 3]],
  [[40, 12, 12]],
];
const oblong: readonly Shapes[] = [
  [[3, 3]],
  [[4, 2]],
  [[2, 3]],
  [[1, 1]],
  [[2, 3, 2]],
  [[0, 0]],
  [[3, 0]],
  [[0, 2]],
  [[0, 3, 2]],
  [[30, 14, 9]],
];
const systems: readonly Shapes[] = [
  [
    [3, 3],
    [3, 2],
  ],
  [
    [1, 1],
    [1, 1],
  ],
  [
    [2, 2, 2],
    [2, 2, 1],
  ],
  [
    [2, 2],
    [3, 2, 2],
  ],
  [
    [0, 0],
    [0, 2],
  ],
  [
    [2, 2],
    [2, 0],
  ],
  [
    [0, 2, 2],
    [0, 2, 1],
  ],
  [
    [40, 12, 12],
    [40, 12, 3],
  ],
];
const integers = (call: (x: nb.Tensor) => unknown): Wrong => ({
  what: "integers",
  call: () => call(ones([2, 2], { dtype: "int32" })),
  code: "ERR_DTYPE",
  says: /; expected a float dtype, got int32$/,
});
const vector = (call: (x: nb.Tensor) => unknown): Wrong => ({
  what: "a vector",
  call: () => call(ones([3])),
  code: "ERR_SHAPE",
  says: /; expected rank 2 or more, got \[3\]$/,
});
const unequal = (call: (x: nb.Tensor) => unknown): Wrong => ({
  what: "a matrix that is not square",
  call: () => call(ones([2, 3])),
  code: "ERR_SHAPE",
  says: /; expected \[\.\., n, n\], got \[2, 3\]$/,
});
const wrong = (call: (x: nb.Tensor) => unknown): Wrong[] => [integers(call), vector(call)];
const wrongSquare = (call: (x: nb.Tensor) => unknown): Wrong[] => [...wrong(call), unequal(call)];
/** Three matrices, the last of which is `bad`. */
const third = (bad: nb.Tensor): nb.Tensor => nb.stack([nb.eye(2), nb.eye(2), bad]);
const refused = (what: string, call: (x: nb.Tensor) => unknown, bad: nb.Tensor, says: RegExp): Wrong => ({
  what,
  call: () => call(third(bad)),
  code: "ERR_ARGUMENT",
  says,
});
const singular = (call: (x: nb.Tensor) => unknown): Wrong =>
  refused("a singular matrix", call, ones([2, 2]), /: the matrix is singular \(matrix 2 of the batch\)$/);
const infinite = (call: (x: nb.Tensor) => unknown): Wrong[] =>
  [Number.NaN, Number.POSITIVE_INFINITY].map((value) =>
    refused(String(value), call, nb.full([2, 2], value), /NaN or infinity.*\(matrix 2 of the batch\)$/),
  );
const misfits = (call: (a: nb.Tensor, b: nb.Tensor) => unknown): Wrong[] => [
  {
    what: "a right side of another size",
    call: () => call(nb.eye(3), ones([2, 2])),
    code: "ERR_SHAPE",
    says: /expected \[\.\., 3, k\], got \[2, 2\]$/,
  },
  { what: "batches that do not broadcast", call: () => call(ones([2, 3, 3]), ones([3, 3, 1])), code: "ERR_SHAPE" },
];
const unknownOption = (call: (options: never) => unknown): Wrong => ({
  what: "an unknown option",
  call: () => call({ uper: true } as never),
  code: "ERR_ARGUMENT",
  says: /unknown option "uper"/,
});

/** (x + xᵀ) / 2 + diag(2, 4, ...), if x is a tensor of floats at all. */
function symmetric(x: nb.Tensor): nb.Tensor {
  if (!nb.isTensor(x) || !x.dtype.includes("float")) return x;
  const n = x.shape.at(-1)!;
  const diagonal = nb
    .arange(1, n + 1)
    .mul(2)
    .mul(nb.eye(n))
    .to(x.dtype);
  return x.add(x.transpose(-2, -1)).mul(0.5).add(diagonal);
}
const symmetricOf = (x: Arr): Arr =>
  build(x.shape, (index) => {
    const [i, j] = index.slice(-2) as [number, number];
    const at = (a: number, b: number) =>
      x.data[
        index
          .slice(0, -2)
          .concat(a, b)
          .reduce((sum, k, d) => sum * x.shape[d]! + k, 0)
      ]!;
    return (at(i, j) + at(j, i)) / 2 + (i === j ? 2 * (i + 1) : 0);
  });
const size = (x: Arr): [number, number] => x.shape.slice(-2) as [number, number];
const joined = (...parts: (number[] | number[][])[]): number[] => parts.flat(2);
/** Side by side. */
const beside = (a: number[][], b: number[][]): number[][] => a.map((row, i) => [...row, ...b[i]!]);

const lowerPart = (a: number[][]): number[][] => a.map((row, i) => row.map((value, j) => (j <= i ? value : 0)));
const upperPart = (a: number[][]): number[][] => a.map((row, i) => row.map((value, j) => (j >= i ? value : 0)));
const unitPart = (a: number[][]): number[][] =>
  lowerPart(a).map((row, i) => row.map((value, j) => (i === j ? 1 : value)));

const solved =
  (change: (a: number[][]) => number[][] = (a) => a): Reference =>
  ([a, b]) =>
    perMatrix([a!, b!], size(b!), (p, q) => reference.solve(change(p!), q!));

/** Both parts with r's diagonal positive. */
function positive({ q, r }: nb.QR): nb.Tensor {
  const k = q.shape.at(-1)!;
  const signs = r.narrow(-1, 0, k).mul(nb.eye(k).to(r.dtype)).sum(-1).sign();
  const [left, right] = [q.mul(signs.unsqueeze(-2)), r.mul(signs.unsqueeze(-1))];
  return q.shape.at(-2)! > k ? nb.cat([left, right], -2) : nb.cat([left, right], -1);
}

const determinant: Reference = ([a]) => perMatrix([a!], [], (p) => reference.det(p!));

/** What tells a case that calls the row in another way. */
const another = {
  row: "triangularSolve",
  exempt: {
    numbers: "it takes tensors",
    decomposition: "one formula: the value law says it",
    errors: "those of triangularSolve",
  },
} satisfies Partial<Case>;

export const linalgCases = {
  cholesky: inParts(
    matrices(
      ([x]) => nb.cholesky(symmetric(x!)),
      ([x]) => perMatrix([symmetricOf(x!)], size(x!), (a) => reference.cholesky(a!)),
      [],
      square,
      [
        ...wrongSquare(nb.cholesky),
        unknownOption((options) => nb.cholesky(nb.eye(2), options)),
        refused(
          "zeros",
          nb.cholesky,
          zeros([2, 2]),
          /: the matrix is not positive definite \(matrix 2 of the batch\)$/,
        ),
        refused("NaN", nb.cholesky, nb.full([2, 2], Number.NaN), /not positive definite/),
        refused("infinity", nb.cholesky, nb.full([2, 2], Number.POSITIVE_INFINITY), /not positive definite/),
      ],
      3,
    ),
  ),
  triangularSolve: matrices(([a, b]) => nb.triangularSolve(a!, b!), solved(lowerPart), [0], systems, [
    ...wrongSquare((x) => nb.triangularSolve(x, ones([2, 2]))),
    ...misfits(nb.triangularSolve),
    unknownOption((options) => nb.triangularSolve(nb.eye(2), ones([2, 1]), options)),
    refused(
      "a zero on the diagonal",
      (a) => nb.triangularSolve(a, ones([2, 1])),
      zeros([2, 2]),
      /: the matrix is singular \(matrix 2 of the batch\)$/,
    ),
  ]),
  "triangularSolve, upper": {
    ...matrices(([a, b]) => nb.triangularSolve(a!, b!, { upper: true }), solved(upperPart), [0], systems, []),
    ...another,
  },
  "triangularSolve, unit": {
    ...matrices(([a, b]) => nb.triangularSolve(a!, b!, { unitriangular: true }), solved(unitPart), [0], systems, []),
    ...another,
  },
  "triangularSolve, right": {
    ...matrices(
      ([a, b]) => nb.triangularSolve(a!, nb.transpose(b!, -2, -1), { left: false, upper: true }),
      ([a, b]) =>
        perMatrix([a!, b!], [size(b!)[1], size(b!)[0]], (p, q) =>
          reference.transpose(reference.solve(reference.transpose(upperPart(p!), p!.length), q!), size(b!)[1]),
        ),
      [0],
      systems,
      [],
    ),
    ...another,
  },
  solve: matrices(([a, b]) => nb.solve(a!, b!), solved(), [0], systems, [
    ...wrongSquare((x) => nb.solve(x, ones([2, 2]))),
    ...misfits(nb.solve),
    singular((a) => nb.solve(a, ones([2, 1]))),
  ]),
  inv: matrices(
    ([a]) => nb.inv(a!),
    ([a]) =>
      perMatrix([a!], size(a!), (p) =>
        reference.solve(
          p!,
          p!.map((row, i) => row.map((_, j) => Number(i === j))),
        ),
      ),
    [0],
    square,
    [...wrongSquare(nb.inv), singular(nb.inv)],
  ),
  det: matrices(([a]) => nb.det(a!), determinant, [0], square, wrongSquare(nb.det)),
  cofactors: {
    ...matrices(
      ([a]) => row("cofactors").replay([a!], undefined),
      ([a]) =>
        perMatrix([a!], size(a!), (p) => {
          const unit = p!.map((values, i) => values.map((_, j) => Number(i === j)));
          const scaled = reference.solve(p!, unit).map((values) => values.map((v) => v * reference.det(p!)));
          return reference.transpose(scaled, p!.length);
        }),
      [0],
      square,
      [],
    ),
    exempt: { numbers: "it takes tensors", decomposition: "one formula: the value law says it", errors: notPublic },
  },
  slogdet: inParts(
    matrices(
      ([a]) => nb.slogdet(a!).logabsdet.add(nb.slogdet(a!).sign),
      ([a]) => map((d) => Math.log(Math.abs(d)) + Math.sign(d), determinant([a!])),
      [0],
      square,
      wrongSquare(nb.slogdet),
      2,
    ),
  ),
  choleskySolve: matrices(
    ([b, l]) => nb.choleskySolve(b!, l!),
    ([b, l]) =>
      perMatrix([l!, b!], size(b!), (p, q) => {
        const low = lowerPart(p!);
        return reference.solve(reference.times(low, reference.transpose(low, low.length), low.length), q!);
      }),
    [1],
    systems.map(([a, b]) => [b!, a!]),
    [
      ...wrongSquare((l) => nb.choleskySolve(ones([2, 2]), l)),
      ...misfits((a, b) => nb.choleskySolve(b, a)),
      unknownOption((options) => nb.choleskySolve(ones([2, 1]), nb.eye(2), options)),
    ],
    4,
  ),
  qr: inParts(
    matrices(
      ([x]) => positive(nb.qr(x!)),
      ([x]) => {
        const [m, n] = size(x!);
        return perMatrix([x!], m > n ? [m + n, n] : [m, m + n], (a) => {
          const { q, r } = reference.qr(a!, n);
          return m > n ? joined(q, r) : beside(q, r);
        });
      },
      [0],
      oblong,
      [...wrong(nb.qr)],
      4,
    ),
  ),
  eigh: inParts(
    matrices(
      ([x]) => {
        const { values, vectors } = nb.eigh(symmetric(x!));
        return nb.cat([values.unsqueeze(-2), vectors], -2);
      },
      ([x]) =>
        perMatrix([symmetricOf(x!)], [size(x!)[0] + 1, size(x!)[0]], (a) => {
          const { values, vectors } = reference.eigh(a!);
          return joined(values, vectors);
        }),
      [],
      square,
      [...wrongSquare(nb.eigh), ...infinite(nb.eigh)],
      4,
    ),
  ),
  svd: matrices(
    ([x]) => {
      const { u, s, vh } = nb.svd(x!);
      const wide = x!.shape.at(-2)! < x!.shape.at(-1)!;
      return wide ? nb.cat([u, s.unsqueeze(-1), vh], -1) : nb.cat([u, s.unsqueeze(-2), vh], -2);
    },
    ([x]) => {
      const [m, n] = size(x!);
      return perMatrix([x!], m < n ? [m, m + 1 + n] : [m + 1 + n, n], (a) => {
        if (m >= n) {
          const { u, s, vh } = reference.svd(a!, n);
          return joined(u, s, vh);
        }
        const { u, s, vh } = reference.svd(reference.transpose(a!, n), m);
        return beside(
          beside(
            reference.transpose(vh, m),
            s.map((value) => [value]),
          ),
          reference.transpose(u, m),
        );
      });
    },
    [0],
    oblong,
    [...wrong(nb.svd), ...infinite(nb.svd)],
  ),
  pinv: matrices(
    ([x]) => nb.pinv(x!),
    ([x]) => perMatrix([x!], [size(x!)[1], size(x!)[0]], (a) => reference.pinv(a!, size(x!)[1])),
    [0],
    oblong,
    [
      ...wrong(nb.pinv),
      ...infinite(nb.pinv),
      { what: "NaN as tolerance", call: () => nb.pinv(nb.eye(2), { rtol: Number.NaN }), code: "ERR_ARGUMENT" },
    ],
  ),
  lstsq: matrices(
    ([a, b]) => nb.lstsq(a!, b!).solution,
    ([a, b]) =>
      perMatrix([a!, b!], [size(a!)[1], size(b!)[1]], (p, q) =>
        reference.times(reference.pinv(p!, size(a!)[1]), q!, size(b!)[1]),
      ),
    [0],
    [
      [
        [4, 2],
        [4, 2],
      ],
      [
        [2, 3],
        [2, 1],
      ],
      [
        [3, 3],
        [3, 1],
      ],
      [
        [2, 3, 2],
        [2, 3, 1],
      ],
      [
        [2, 2],
        [3, 2, 1],
      ],
      [
        [0, 2],
        [0, 1],
      ],
      [
        [2, 0],
        [2, 1],
      ],
      [
        [0, 3, 2],
        [0, 3, 1],
      ],
      [
        [30, 14, 9],
        [30, 14, 2],
      ],
    ],
    [
      ...wrong((a) => nb.lstsq(a, ones([2, 2]))),
      {
        what: "another height",
        call: () => nb.lstsq(ones([3, 2]), ones([2, 1])),
        code: "ERR_SHAPE",
        says: /expected \[\.\., 3, k\], got \[2, 1\]$/,
      },
      {
        what: "batches that do not broadcast",
        call: () => nb.lstsq(ones([2, 3, 2]), ones([3, 3, 1])),
        code: "ERR_SHAPE",
      },
    ],
    4,
  ),
};
