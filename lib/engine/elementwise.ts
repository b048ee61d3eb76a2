import { type DTypeRow, defaultFloat, dtypes } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { broadcast, type Shape } from "../core/shape.js";
import { Tensor } from "../tensor/tensor.js";
import { apply } from "./apply.js";
import { commonType, needHeld, needOperand } from "./operand.js";
import { type Accuracy, defineRow, type Family, type Operand, type Row } from "./row.js";
import type { Partial, Rule } from "./rule.js";

/** Of one operand, element by element. */
export type Unary = (x: Operand) => Tensor;
/** Of two operands, broadcast to one shape. */
export type Binary = (a: Operand, b: Operand) => Tensor;
/** Of three operands, broadcast to one shape. */
export type Ternary = (a: Operand, b: Operand, c: Operand) => Tensor;

/**
 * The dtype of the computation: "float" converts integers to the default float dtype, "number" converts bool to int64
 * (arithmetic on truth values counts them), "same" keeps every dtype.
 */
export type Compute = "float" | "number" | "same";

interface ElementwiseSpec {
  readonly accuracy: Accuracy;
  readonly compute: Compute;
  /** The partial derivative for each input, or the reason why there are none. */
  readonly partials: readonly (Partial | null)[] | string;
  readonly family?: Family;
  /** The native kernel, if its name differs. */
  readonly kernel?: string;
  /**
   * The operands in an integer dtype. Drops numbers that cannot change the result, as the others must fit the dtype.
   */
  readonly whole?: (operands: readonly Operand[], type: DTypeRow) => readonly Operand[];
}

const ruleOf = (partials: ElementwiseSpec["partials"]): Rule<undefined> =>
  typeof partials === "string" ? { kind: "none", reason: partials } : { kind: "elementwise", partials };

export function computeType(compute: Compute, type: DTypeRow): DTypeRow {
  if (compute === "float" && type.kind !== "float") return defaultFloat();
  if (compute === "number" && type.kind === "bool") return dtypes.int64;
  return type;
}

/** Applies an elementwise row to operands that have been checked. */
export function applyElementwise(
  row: Row<undefined>,
  operands: readonly Operand[],
  type: DTypeRow,
  result: DTypeRow,
): Tensor {
  let shape: Shape | null = null;
  for (const x of operands)
    if (typeof x !== "number") shape = shape === null ? x.shape : broadcast(row.name, shape, x.shape);
  return apply(row, operands, type, result, shape ?? scalarShape, type.attrs, undefined);
}
const scalarShape: Shape = [];

function define(name: string, inputs: number, spec: ElementwiseSpec, bool: boolean) {
  const { accuracy, compute } = spec;
  const row = defineRow<undefined>({
    name,
    family: spec.family ?? (["unary", "binary", "ternary"] as const)[inputs - 1]!,
    kernel: spec.kernel ?? name,
    inputs,
    accuracy,
    rule: ruleOf(spec.partials),
    replay: (operands) => call(operands),
  });
  /** Checks that the integer dtype of a call holds its number operands. */
  const wholeOf = (operands: readonly Operand[], type: DTypeRow): readonly Operand[] => {
    const whole = spec.whole === undefined ? operands : spec.whole(operands, type);
    needHeld(name, whole, type);
    return whole;
  };
  const call = (operands: readonly Operand[]): Tensor => {
    for (const x of operands) needOperand(name, x);
    const type = computeType(compute, commonType(operands, compute === "float"));
    const whole = type.kind === "int" ? wholeOf(operands, type) : operands;
    return applyElementwise(row, whole, type, bool ? dtypes.bool : type);
  };
  return { row, call };
}

/** A unary row; see {@link ElementwiseSpec}. */
export function unary(name: string, spec: ElementwiseSpec): Unary {
  const { call } = define(name, 1, spec, false);
  return (x) => call([x]);
}

export function binary(name: string, spec: ElementwiseSpec): Binary {
  const { row, call } = define(name, 2, spec, false);
  return (a, b) => {
    // Two tensors of one dtype, the usual case, need no promotion.
    if (
      a instanceof Tensor &&
      b instanceof Tensor &&
      a.type === b.type &&
      computeType(spec.compute, a.type) === a.type
    ) {
      const { type, shape } = a;
      return apply(row, [a, b], type, type, broadcast(name, shape, b.shape), type.attrs, undefined);
    }
    return call([a, b]);
  };
}

export function ternary(name: string, spec: ElementwiseSpec): Ternary {
  const { call } = define(name, 3, spec, false);
  return (a, b, c) => call([a, b, c]);
}

const noDerivative = "the result is a truth value";

/** A unary row whose result is bool. */
export function predicate(name: string): Unary {
  const { call } = define(
    name,
    1,
    { accuracy: "exact", compute: "same", partials: noDerivative, family: "compare" },
    true,
  );
  return (x) => call([x]);
}

/** A binary row whose result is bool. */
export function comparison(name: string): Binary {
  const { call } = define(
    name,
    2,
    { accuracy: "exact", compute: "same", partials: noDerivative, family: "compare" },
    true,
  );
  return (a, b) => call([a, b]);
}

/** A row such as `where`, whose first input is a condition of dtype bool. */
export function selection(name: string, spec: Omit<ElementwiseSpec, "compute">): Ternary {
  const row = defineRow<undefined>({
    name,
    family: "ternary",
    kernel: name,
    inputs: 3,
    accuracy: spec.accuracy,
    rule: ruleOf(spec.partials),
    replay: ([condition, a, b]) => call(condition!, a!, b!),
  });
  const call: Ternary = (condition, a, b) => {
    for (const x of [condition, a, b]) needOperand(name, x);
    if (typeof condition === "number" || condition.type !== dtypes.bool)
      fail(
        "ERR_DTYPE",
        name,
        "the condition must be a bool tensor",
        "bool",
        typeof condition === "number" ? "a number" : condition.dtype,
      );
    const values = [a, b];
    const type = commonType(values);
    needHeld(name, values, type);
    return applyElementwise(row, [condition, a, b], type, type);
  };
  return call;
}
