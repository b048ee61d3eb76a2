/** Cases of elementwise ops: given the function of numbers, everything else follows. */

import type { Tensor } from "nabla";
import { type DType, full, tensor } from "nabla";
import { map } from "../../reference/array.js";
import type { Case, Input, Law, Operand, Sample, Wrong } from "./case.js";

export const everyDtype: readonly DType[] = ["float32", "float64", "int32", "int64", "uint8", "bool"];
export const floats: readonly DType[] = ["float32", "float64"];
const isFloat = (dtype: DType): boolean => dtype.startsWith("float");

/** The dtype of the result by what the op computes in. */
export const results = {
  float: (dtype: DType): DType => (isFloat(dtype) ? dtype : "float32"),
  number: (dtype: DType): DType => (dtype === "bool" ? "int64" : dtype),
  same: (dtype: DType): DType => dtype,
  truth: (): DType => "bool",
} as const;

const unaryShapes = [[], [0], [1], [257], [2, 3], [3, 1, 4], [2, 0, 3]];
const binaryShapes = [
  [[], []],
  [[3], [3]],
  [[2, 3], [3]],
  [
    [2, 1],
    [1, 3],
  ],
  [
    [0, 3],
    [1, 3],
  ],
  [[], [2, 2]],
  [
    [4, 1, 2],
    [3, 1],
  ],
  [[257], [257]],
  [
    [5, 33],
    [5, 1],
  ],
  [[1], [1, 1]],
];
const ternaryShapes = [
  [[], [], []],
  [[4], [4], [4]],
  [[2, 3], [3], [2, 1]],
  [[2, 1], [], [1, 3]],
  [[0], [1], [0]],
  [[257], [257], [257]],
  [[1, 3], [2, 1], [1]],
];
const largeShapes = [[[3, 30011]], [[3, 30011], [30011]], [[3, 30011], [30011], [3, 1]]];

const ordinary = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0,
  -0,
  1,
  -1,
  0.5,
  2,
  -2.5,
  3,
  1e-40,
  3e38,
  -1e20,
];

export interface Elementwise {
  readonly call: (...xs: Operand[]) => Tensor;
  /** The op on numbers, in float64; `whole` on integers where they are treated in another way. */
  readonly f: (...values: number[]) => number;
  readonly whole?: (...values: number[]) => number;
  readonly inputs: readonly Partial<Input>[];
  readonly result: (dtype: DType) => DType;
  readonly dtypes?: readonly DType[];
  readonly floor?: number;
  readonly double?: number;
  readonly specials?: readonly number[];
  readonly accuracy?: Case["accuracy"];
  readonly errors?: readonly Wrong[];
  readonly exempt?: Partial<Record<Law, string>>;
  readonly decomposition?: (...xs: Tensor[]) => Tensor;
  /** Whether numbers may stand for tensors; default true. */
  readonly numbers?: boolean;
  readonly row?: string;
  /** Whether a fraction beside an integer tensor is refused; what computes in floats takes it. */
  readonly strict?: boolean;
}

export function elementwise(spec: Elementwise): Case {
  const names = ["x", "y", "z"];
  const inputs: Input[] = spec.inputs.map((input, i) => ({ name: names[i]!, domain: [-3, 3], ...input }));
  const of = (shapes: readonly (readonly number[])[]): Sample => ({
    label: shapes.map((shape) => `[${shape.join()}]`).join(" "),
    shapes,
    call: (xs) => spec.call(...xs),
    reference: (xs, dtype) => map(isFloat(dtype) ? spec.f : (spec.whole ?? spec.f), ...xs),
    ...(spec.decomposition === undefined
      ? {}
      : { decomposition: (xs: readonly Tensor[]) => spec.decomposition!(...xs) }),
  });
  const arity = inputs.length;
  const shapes = arity === 1 ? unaryShapes.map((shape) => [shape]) : arity === 2 ? binaryShapes : ternaryShapes;
  const specials = spec.specials ?? ordinary;
  const ones = inputs.map((input) => full([2], 1, { dtype: input.dtype ?? "float32" }));
  const misfit: Wrong[] =
    arity === 1
      ? []
      : [
          {
            what: "shapes that do not broadcast",
            call: () => spec.call(...ones.slice(0, -1), full([3], 1, { dtype: inputs.at(-1)!.dtype ?? "float32" })),
            code: "ERR_SHAPE",
            says: /; expected .*, got \[2\] and \[3\]/,
          },
        ];
  const fraction: Wrong[] =
    arity === 1 || spec.strict !== true
      ? []
      : [
          {
            what: "a fraction beside an integer tensor",
            call: () => spec.call(...ones.slice(0, -2), tensor(Int32Array.of(1, 2)), 0.5),
            code: "ERR_DTYPE",
            says: /; expected .*, got 0\.5/,
          },
        ];
  return {
    inputs,
    dtypes: spec.dtypes ?? everyDtype,
    result: spec.result,
    samples: shapes.map(of),
    large: of(largeShapes[arity - 1]!),
    specials: inputs.map((input) => (input.dtype === "bool" ? [0, 1] : specials)),
    errors: [...misfit, ...fraction, ...(spec.errors ?? [])],
    anyTensor: inputs.length === 1 && spec.errors === undefined,
    ...(spec.numbers === false ? {} : { operands: (xs: readonly Operand[]) => spec.call(...xs) }),
    ...(spec.floor === undefined ? {} : { floor: spec.floor }),
    ...(spec.double === undefined ? {} : { double: spec.double }),
    ...(spec.accuracy === undefined ? {} : { accuracy: spec.accuracy }),
    ...(spec.row === undefined ? {} : { row: spec.row }),
    exempt: {
      ...(spec.decomposition === undefined
        ? { decomposition: "one kernel and one formula: the value law says it" }
        : {}),
      ...(spec.numbers === false ? { numbers: "the first operand is a tensor" } : {}),
      ...spec.exempt,
    },
  };
}

/** One operand and a function of Math. */
export const unary = (
  call: (x: Operand) => Tensor,
  f: (x: number) => number,
  domain: readonly [number, number],
  more: Partial<Elementwise> & { readonly kinks?: readonly number[] } = {},
): Case =>
  elementwise({
    call: call as Elementwise["call"],
    f,
    inputs: [more.kinks === undefined ? { domain } : { domain, kinks: more.kinks }],
    result: results.float,
    ...more,
  });
