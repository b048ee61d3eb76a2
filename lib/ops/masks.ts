/** Ops that pick elements by a mask. */
import { fail, named } from "../core/errors.js";
import { broadcast, showShape } from "../core/shape.js";
import { needTensor } from "../engine/operand.js";
import type { Operand } from "../engine/rule.js";
import type { Tensor } from "../tensor/tensor.js";
import { asElement } from "./element.js";
import { placesOf, truePlaces } from "./true-places.js";

function needMask(op: string, mask: Tensor): void {
  if (needTensor(op, mask, "the mask").dtype !== "bool")
    fail("ERR_DTYPE", op, "the mask must be a bool tensor", "bool", mask.dtype);
}

/**
 * x with a value wherever the mask is true.
 * @shape x and mask broadcast. @dtype that of x.
 * @gradient for x the incoming gradient where the mask is false; for the value its sum where the mask is true.
 * @throws ERR_DTYPE unless the mask is bool, and for a value that x's integer dtype does not hold; ERR_SHAPE unless the
 * value is a number or of rank 0.
 * @example tensor([1, 2]).maskedFill(tensor([true, false]), 9).toArray(); // [9, 2]
 */
export function maskedFill(x: Tensor, mask: Tensor, value: Operand): Tensor {
  needTensor("maskedFill", x);
  needMask("maskedFill", mask);
  const element = asElement("maskedFill", x, value);
  if (typeof element !== "number" && element.ndim > 0)
    fail("ERR_SHAPE", "maskedFill", "the value must be a single one", "rank 0", showShape(element.shape));
  broadcast("maskedFill", x.shape, mask.shape);
  return mask.where(element, x);
}

/**
 * The elements of x where the mask is true, in row-major order; x and mask broadcast. Their number is read back into
 * JavaScript, because it decides the shape.
 * @shape [count]. @dtype that of x.
 * @gradient the incoming gradient where the mask is true, zeros elsewhere.
 * @throws ERR_DTYPE unless the mask is bool.
 * @example tensor([5, 6, 7]).maskedSelect(tensor([true, false, true])).toArray(); // [5, 7]
 */
export function maskedSelect(x: Tensor, mask: Tensor): Tensor {
  needTensor("maskedSelect", x);
  needMask("maskedSelect", mask);
  const shape = broadcast("maskedSelect", x.shape, mask.shape);
  const chosen = named("maskedSelect", () => placesOf(mask.expand(shape)));
  return x.expand(shape).reshape([-1]).indexSelect(0, chosen);
}

/**
 * The indices of the nonzero elements, one row for each, in row-major order. Their number is read back into JavaScript,
 * because it decides the shape.
 * @shape [count, rank]. @dtype int32. @gradient none.
 * @example tensor([[0, 1], [2, 0]]).nonzero().toArray(); // [[0, 1], [1, 0]]
 */
export function nonzero(x: Tensor): Tensor {
  const mask = needTensor("nonzero", x).to("bool");
  return named("nonzero", () => truePlaces(mask, [x.ndim]));
}
