/** Whether two tensors are equal, or nearly. */
import { refuse } from "../core/arguments.js";
import { fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { sameShape, showShape } from "../core/shape.js";
import { isTensor, type Tensor } from "./tensor.js";

function needTensors(op: string, ...values: readonly unknown[]): void {
  for (const x of values) if (!isTensor(x)) refuse(op, "the input", "a tensor", x);
}

/**
 * Whether both have the same shape and dtype and equal elements; NaN equals nothing.
 * @throws ERR_ARGUMENT unless both are tensors.
 * @example equal(tensor([1, 2]), tensor([1, 2])); // true
 */
export function equal(a: Tensor, b: Tensor): boolean {
  needTensors("equal", a, b);
  if (a.type !== b.type || !sameShape(a.shape, b.shape)) return false;
  const x = a.toTypedArray();
  const y = b.toTypedArray();
  return x.every((value: number | bigint, i: number) => value === y[i]);
}

export interface CloseOptions {
  /** The relative tolerance; default 1e-5. */
  readonly rtol?: number | undefined;
  /** The absolute tolerance; default 1e-8. */
  readonly atol?: number | undefined;
  /** Whether NaN equals NaN; default false. */
  readonly equalNan?: boolean | undefined;
}

/**
 * Whether `|a - b| <= atol + rtol |b|` for all elements; dtypes may differ.
 * @throws ERR_SHAPE if the shapes differ; ERR_ARGUMENT unless both are tensors.
 * @example allClose(tensor([1]), tensor([1.01]), { rtol: 0.1 }); // true
 */
export function allClose(a: Tensor, b: Tensor, options?: CloseOptions): boolean {
  needTensors("allClose", a, b);
  const {
    rtol = 1e-5,
    atol = 1e-8,
    equalNan = false,
  } = checkOptions<CloseOptions>("allClose", options, ["rtol", "atol"], ["equalNan"]);
  if (!sameShape(a.shape, b.shape))
    fail("ERR_SHAPE", "allClose", "the shapes differ", showShape(a.shape), showShape(b.shape));
  const x = a.toTypedArray();
  const y = b.toTypedArray();
  for (let i = 0; i < x.length; i++) {
    const p = Number(x[i]);
    const q = Number(y[i]);
    if (p === q || (equalNan && Number.isNaN(p) && Number.isNaN(q))) continue;
    if (!(Math.abs(p - q) <= atol + rtol * Math.abs(q)) || !Number.isFinite(p - q)) return false;
  }
  return true;
}
