/** Ops that write to existing tensors, and `detach`. */
import { describe, fail, named } from "../core/errors.js";
import { sameShape, showShape } from "../core/shape.js";
import { Batched } from "../engine/batched.js";
import { mode } from "../engine/modes.js";
import { needOperand, needTensor } from "../engine/operand.js";
import { writeTo } from "../engine/run-kernel.js";
import { Tensor } from "../tensor/tensor.js";
import { copiedByAt } from "./copied-by-at.js";
import { asDtype, asNumber } from "./element.js";

/** Whether several indices may refer to the same element. */
const overlaps = (x: Tensor): boolean => x.layout?.some((stride, i) => stride === 0 && x.shape[i]! > 1) ?? false;

/**
 * Writes a value into x in place, also through views: `w.at(0).assign(0)`. Increments the storage's version, so that a
 * backward that needs the old value fails instead of returning a wrong gradient. Returns x.
 * @shape the value broadcasts to x. @dtype the value is converted to that of x; an integer dtype must hold it.
 * @gradient none: writes are not recorded.
 * @throws ERR_GRADIENT for a tensor that requires grad, outside {@link noGrad}; ERR_SHAPE if the value does not
 * broadcast; ERR_ARGUMENT for an expanded x, and for the copy that `x.at(...)` makes for a list or mask; ERR_DTYPE for
 * values that an integer dtype does not hold. In these cases nothing is written.
 * @example zeros([2]).assign(tensor([1, 2])).toArray(); // [1, 2]
 */
export function assign(x: Tensor, value: Tensor | number): Tensor {
  needTensor("assign", x);
  needOperand("assign", value);
  if (x instanceof Batched || value instanceof Batched)
    fail("ERR_ARGUMENT", "assign", "inside vmap a tensor stands for a batch and is not written to; use where");
  if (copiedByAt.has(x))
    fail(
      "ERR_ARGUMENT",
      "assign",
      "the tensor is a copy that at() made for a list or mask, so that x would not change",
      "x.indexPut(...) or x.maskedFill(...), which give a new tensor, or .clone() to write to the copy",
      "a copy",
    );
  if (mode.grad && x.node !== null)
    fail("ERR_GRADIENT", "assign", "the tensor requires grad", "a call inside noGrad", describe(x));
  if (overlaps(x))
    fail(
      "ERR_ARGUMENT",
      "assign",
      "an element stands in several places",
      "a tensor that is not expanded",
      `strides ${showShape(x.strides)}`,
    );
  if (typeof value === "number") {
    writeTo(x, asNumber("assign", x.type, value), "assign");
    return x;
  }
  const extra = x.ndim - value.ndim;
  if (extra < 0 || value.shape.some((size, i) => size !== 1 && size !== x.shape[i + extra]))
    fail("ERR_SHAPE", "assign", "the value does not broadcast", showShape(x.shape), showShape(value.shape));
  // A value on the same storage may overlap the target, so it is copied first.
  const shared =
    value.handle.slot === x.handle.slot &&
    !(value.layout === x.layout && value.offset === x.offset && sameShape(value.shape, x.shape));
  const taken = shared ? value.detach().clone() : value.detach();
  const source = x.type.kind === "float" ? taken : asDtype("assign", x.type, taken);
  writeTo(x, source, "assign");
  return x;
}

/**
 * A view outside the graph: no gradient flows through it.
 * @shape that of x. @dtype that of x. @gradient none.
 * @example tensor([1], { requiresGrad: true }).detach().requiresGrad; // false
 */
export function detach(x: Tensor): Tensor {
  needTensor("detach", x);
  if (x instanceof Batched) return new Batched(detach(x.value), x.level);
  if (x.handle.slot < 0) fail("ERR_DISPOSED", "detach", "the tensor has been disposed of");
  x.handle.users++;
  return new Tensor(x.handle, x.type, x.shape, x.layout, x.offset, null);
}

/**
 * JAX's name for {@link detach}.
 * @example tensor([1], { requiresGrad: true }).stopGradient().requiresGrad; // false
 */
export const stopGradient = (x: Tensor): Tensor => named("stopGradient", () => detach(x));
