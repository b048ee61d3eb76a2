/**
 * The derivatives of activations as ops: each takes the gradient of the result and what the activation saved. Rules call them;
 * they are not part of the public API.
 */
import { type Binary, binary } from "../engine/elementwise.js";
import { partial } from "../engine/rule.js";
import type { Tensor } from "../tensor/tensor.js";

/** The density of the standard normal distribution. */
const density = (x: Tensor): Tensor =>
  x
    .square()
    .mul(-0.5)
    .exp()
    .mul(1 / Math.sqrt(2 * Math.PI));

/**
 * The derivative of sigmoid applied to t, from its result y: `t y (1 - y)`.
 * @gradient y (1 - y) for t and t (1 - 2y) for y.
 */
export const sigmoidBackward: Binary = binary("sigmoidBackward", {
  compute: "float",
  accuracy: 4,
  partials: [
    partial(["y"], (t, y) => sigmoidBackward(t, y)),
    partial(["x", "y"], (t, g, y) => t.mul(g).mul(y.mul(-2).add(1))),
  ],
});

/**
 * The derivative of tanh applied to t, from its result y: `t (1 - y^2)`.
 * @gradient 1 - y^2 for t and -2ty for y.
 */
export const tanhBackward: Binary = binary("tanhBackward", {
  compute: "float",
  accuracy: 4,
  partials: [partial(["y"], (t, y) => tanhBackward(t, y)), partial(["x", "y"], (t, g, y) => t.mul(g).mul(y).mul(-2))],
});

/**
 * The derivative of relu applied to t, from its result y: t where y > 0, else 0.
 * @gradient for t 1 where y > 0, else 0; none for y.
 */
export const reluBackward: Binary = binary("reluBackward", {
  compute: "float",
  accuracy: "exact",
  partials: [partial(["y"], (t, y) => reluBackward(t, y)), null],
});

/**
 * The derivative of gelu applied to t, from its input x: `t (Φ(x) + x φ(x))`.
 * @gradient Φ(x) + x φ(x) and t φ(x) (2 - x^2).
 */
export const geluBackward: Binary = binary("geluBackward", {
  compute: "float",
  accuracy: 4,
  partials: [
    partial(["y"], (t, x) => geluBackward(t, x)),
    partial(["x", "y"], (t, g, x) => t.mul(g).mul(density(x)).mul(x.square().neg().add(2))),
  ],
});

/**
 * The derivative of silu applied to t, from its input x: `t s (1 + x (1 - s))` with `s = sigmoid(x)`.
 * @gradient s (1 + x (1 - s)) and t s (1 - s) (2 + x (1 - 2s)).
 */
export const siluBackward: Binary = binary("siluBackward", {
  compute: "float",
  accuracy: 4,
  partials: [
    partial(["y"], (t, x) => siluBackward(t, x)),
    partial(["x", "y"], (t, g, x) => {
      const s = x.sigmoid();
      const rest = s.neg().add(1);
      return t
        .mul(g)
        .mul(s.mul(rest))
        .mul(x.mul(rest.sub(s)).add(2));
    }),
  ],
});

/**
 * The derivative of softplus applied to t, from its input x: `t sigmoid(x)`.
 * @gradient s and t s (1 - s) with s = sigmoid(x).
 */
export const softplusBackward: Binary = binary("softplusBackward", {
  compute: "float",
  accuracy: 4,
  partials: [
    partial(["y"], (t, x) => softplusBackward(t, x)),
    partial(["x", "y"], (t, g, x) => sigmoidBackward(t.mul(g), x.sigmoid())),
  ],
});
