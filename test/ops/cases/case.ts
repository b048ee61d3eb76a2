/** What the laws know about an op: data and a reference, no procedure. */
import type { DType, ErrorCode, Tensor } from "nabla";
import type { Arr } from "../../reference/array.js";

export type Operand = Tensor | number;

export const laws = [
  "value",
  "dtype and shape",
  "layout",
  "gradient",
  "second order",
  "duality",
  "threads",
  "isa",
  "errors",
  "memory",
  "numbers",
  "decomposition",
  "vmap",
  "half",
  "half gradient",
] as const;
export type Law = (typeof laws)[number];

/** One operand: where its values are drawn from. */
export interface Input {
  readonly name: string;
  /** Ends of the interval that values are drawn from, evenly. Integer dtypes take the integers in it. */
  readonly domain: readonly [number, number];
  /** Values keep a distance of 1/20 of the interval from these, where derivatives do not exist or values jump. */
  readonly kinks?: readonly number[];
  /** Values are [step, offset]: offset + k step with integers k, moved by up to step / 20. */
  readonly lattice?: readonly [number, number];
  /** No two elements are closer than 1/20 of the interval divided by their number: for extrema. */
  readonly distinct?: boolean;
  /** Whether any number may stand here, though not in the first operand. */
  readonly orNumber?: boolean;
  /** A dtype of its own: it does not follow the sample's, and no gradient reaches it. */
  readonly dtype?: DType;
}

/** One call. */
export interface Sample {
  readonly label: string;
  readonly shapes: readonly (readonly number[])[];
  readonly call: (xs: readonly Tensor[]) => Tensor;
  readonly reference: (xs: readonly Arr[], dtype: DType) => Arr;
  /** Inputs by place that are not drawn: indices, and values that matter. */
  readonly values?: Readonly<Record<number, readonly number[]>>;
  /** For accuracy "tree": what the error is relative to, and how many terms are added up. The result itself, and 1. */
  readonly scale?: (xs: readonly Arr[]) => Arr;
  readonly terms?: number;
  /** The same mathematics in other ops. */
  readonly decomposition?: (xs: readonly Tensor[]) => Tensor;
}

/** A call that must be refused. */
export interface Wrong {
  readonly what: string;
  readonly call: () => unknown;
  readonly code: ErrorCode;
  /** Part of the message. */
  readonly says?: RegExp;
}

export interface Case {
  readonly inputs: readonly Input[];
  /** What the inputs without a dtype of their own are tried in. */
  readonly dtypes: readonly DType[];
  readonly result: (dtype: DType) => DType;
  /** Why other dtypes, which the op takes, are not tried; all others are refused unless this is given. */
  readonly others?: string;
  readonly samples: readonly Sample[];
  /** Large enough to be cut into chunks. */
  readonly large: Sample;
  /** In units in the last place of the result; default: what the row promises (composites promise nothing). */
  readonly accuracy?: number | "tree" | "exact";
  /** For functions whose terms cancel near their zeros: errors count in units in the last place of at least this. */
  readonly floor?: number;
  /** How many units in the last place a float64 result may differ: no row promises anything. Default 16. */
  readonly double?: number;
  /** Relative error of the derivative laws, where float64 is not kept throughout. */
  readonly derivative?: number;
  /** The row of the table that is called, where its name is another. */
  readonly row?: string;
  /** Whether numbers may stand for tensors; then how it is called with any operands. */
  readonly operands?: (xs: readonly Operand[]) => Tensor;
  /** Special values, place by place, tried in all combinations; checked against the reference in float dtypes. */
  readonly specials?: readonly (readonly number[])[];
  readonly errors: readonly Wrong[];
  /** It takes one tensor, any that there is: nothing can be wrong but what is none, which the law tries. */
  readonly anyTensor?: boolean;
  /** Its samples round halves more than once: they are made of several ops, or digits are cut besides. */
  readonly parts?: boolean;
  /** The laws that do not apply, with the reason. */
  readonly exempt?: Partial<Record<Law, string>>;
}

/** A case with more laws that do not apply. */
export const exempting = (of: Case, more: NonNullable<Case["exempt"]>): Case => ({
  ...of,
  exempt: { ...of.exempt, ...more },
});

export const inParts = (of: Case): Case => ({ ...of, parts: true });
