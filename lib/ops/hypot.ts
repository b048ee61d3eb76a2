/** Internal ops for lengths that may not fit the dtype, though what is divided by them does. */
import { type Binary, binary, type Ternary, ternary } from "../engine/elementwise.js";
import { partial, partialOfNumbers } from "../engine/rule.js";

/**
 * `sqrt(a^2 + b^2)`, whose squares neither overflow nor underflow.
 * @gradient a / hypot and b / hypot; NaN at the origin.
 */
export const hypot: Binary = binary("hypot", {
  compute: "float",
  accuracy: 2,
  partials: [
    partial(["x", "out"], (t, a, length) => t.mul(a.to(t.dtype).div(length))),
    partial(["y", "out"], (t, b, length) => t.mul(b.to(t.dtype).div(length))),
  ],
});

/**
 * `a / b * c`: a quotient by b / c, which may not fit the dtype.
 * @gradient c / b, -a c / b^2 and a / b.
 */
export const scaledDiv: Ternary = ternary("scaledDiv", {
  compute: "float",
  accuracy: 2,
  partials: [
    partialOfNumbers(["y", "z"], (t, b, c) => scaledDiv(t, b, c)),
    partial(["y", "out"], (t, b, quotient) => t.mul(quotient).div(b).neg()),
    partial(["x", "y"], (t, a, b) => t.mul(a.to(t.dtype).div(b))),
  ],
});
