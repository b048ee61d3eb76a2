import type { DTypeRow } from "../core/dtype.js";
import type { Shape } from "../core/shape.js";
import type { Tensor } from "../tensor/tensor.js";

/** What a rule gets besides its arguments: the call's parameters, and shapes and dtypes of all operands. */
export interface Context<P = unknown> {
  readonly params: P;
  readonly shape: Shape;
  readonly inputShapes: readonly Shape[];
  readonly inputTypes: readonly DTypeRow[];
  /** The kernel's residual output; null if the call did not run as one kernel, as in vmap. */
  residual(): Tensor | null;
  /** The same for a rule to write to, once: null from then on, and where a graph is only looked at. */
  takeResidual(): Tensor | null;
}

/** A tensor or a number, where an op accepts both. */
export type Operand = Tensor | number;

/** Operands of a call by name: `out` is the result, the rest the inputs in order. */
export type Place = "out" | "x" | "y" | "z" | "w";
const places: readonly Place[] = ["out", "x", "y", "z", "w"];
/** An operand that only some calls have. */
type Optional = `${Place}?`;
/** Their positions, and these as a bit mask. */
function placesOf(names: readonly (Place | Optional)[]): { readonly order: readonly number[]; readonly saves: number } {
  const order = names.map((name) => places.indexOf(name.replace("?", "") as Place));
  return { order, saves: order.reduce((mask, i) => mask | (1 << i), 0) };
}
/** The values of the named operands, in their order. */
type Values<A extends readonly (Place | Optional)[], S> = {
  readonly [K in keyof A]: A[K] extends Optional ? S | undefined : S;
};

/** The derivative of an elementwise op with respect to one input. */
export interface Partial {
  /** Operands it needs, as bit mask: bit 0 the output, bit i + 1 input i. */
  readonly saves: number;
  readonly order: readonly number[];
  /** Whether a number operand is passed as a number, not as a tensor of rank 0. */
  readonly numbers: boolean;
  /** t ↦ t·∂out/∂input. The same map serves reverse mode (t a cotangent) and forward mode (t a tangent). */
  times(t: Tensor, ...saved: readonly Operand[]): Tensor;
}

type Map<A extends readonly Place[], S> = (t: Tensor, ...saved: Values<A, S>) => Tensor;

/**
 * The derivative of an elementwise op with respect to one input, as the map t ↦ t·∂; `times` gets t and then the
 * operands named in `saves`, numbers as tensors of rank 0.
 */
export const partial = <const A extends readonly Place[]>(saves: A, times: Map<A, Tensor>): Partial => ({
  ...placesOf(saves),
  numbers: false,
  times,
});

/** The same for maps that accept numbers. */
export const partialOfNumbers = <const A extends readonly Place[]>(saves: A, times: Map<A, Operand>): Partial => ({
  ...placesOf(saves),
  numbers: true,
  times,
});

/** ∂ = 1. */
export const one: Partial = partial([], (t) => t);
/** ∂ = -1. */
export const minusOne: Partial = partial([], (t) => t.neg());

/** One per input; null where zero or not needed. */
export type Gradients = readonly (Tensor | null)[];

/** The sum of the tensors that are there, of at least one. */
export const sumOf = (parts: Gradients): Tensor =>
  parts.filter((part) => part !== null).reduce((sum, part) => sum.add(part));

/** Both directions of a derivative, given the saved values. */
interface General<P, S> {
  vjp(g: Tensor, saved: S, c: Context<P>, needs: readonly boolean[]): Gradients;
  jvp(t: readonly (Tensor | null)[], saved: S, c: Context<P>): Tensor;
  /**
   * The same as vjp by a fused kernel without a rule; null where it cannot. If that result is differentiated, vjp runs.
   */
  fused?(g: Tensor, saved: S, c: Context<P>, needs: readonly boolean[]): Gradients | null;
}

type Kind<P> =
  /** One partial derivative per input; null where it is zero everywhere. */
  | { readonly kind: "elementwise"; readonly partials: readonly (Partial | null)[] }
  /** Linear in its only differentiable input: the transpose map; forward mode is the op itself. */
  | { readonly kind: "linear"; transpose(g: Tensor, c: Context<P>): Tensor }
  /** Linear in x for fixed y, and in y for fixed x. */
  | {
      readonly kind: "bilinear";
      left(g: Tensor, y: Tensor, c: Context<P>): Tensor;
      right(g: Tensor, x: Tensor, c: Context<P>): Tensor;
    }
  /** Anything else: both directions are given. See {@link general}. */
  | (General<P, readonly Tensor[]> & {
      readonly kind: "general";
      readonly order: readonly number[];
      readonly saves: number;
    })
  /** Defined by other ops, which run, recorded, when the result is differentiated. */
  | { readonly kind: "recomputed"; run(c: Context<P>): Tensor }
  /** No derivative: the result never requires grad. The reason is part of the error message. */
  | { readonly kind: "none"; readonly reason: string };

/**
 * How an op is differentiated. A closed set: the drivers in autograd/ do the rest (un-broadcasting, skipping inputs that
 * need no gradient, accumulation).
 */
export type Rule<P = unknown> = Kind<P> & {
  /**
   * Adds the gradient of input `i` to `sum`, in place, where that is cheaper than computing and adding it; false where
   * it is not. `saved` returns saved values by position. A gradient from such a rule must be a new tensor, which
   * backward may add to, or share g's storage.
   */
  addTo?(sum: Tensor, g: Tensor, i: number, saved: (place: number) => Tensor, c: Context<P>): boolean;
};

/** A rule that states both directions. They get the tensors named in `saves`, in that order. */
export const general = <P, const A extends readonly (Place | Optional)[]>(
  saves: A,
  maps: General<P, Values<A, Tensor>> & Pick<Rule<P>, "addTo">,
): Rule<P> => ({ kind: "general", ...placesOf(saves), ...maps });

/** Bits for `saves`. */
const save = { out: 1, x: 2, y: 4, z: 8 } as const;

/** The operands to save (a bit mask) where the inputs in `needs` (a bit mask) need a gradient. */
export function saved(rule: Rule, needs: number): number {
  switch (rule.kind) {
    case "elementwise":
      return rule.partials.reduce((mask, p, i) => (p !== null && needs & (1 << i) ? mask | p.saves : mask), 0);
    case "bilinear":
      return (needs & 1 ? save.y : 0) | (needs & 2 ? save.x : 0);
    case "general":
      return needs === 0 ? 0 : rule.saves;
    default:
      return 0;
  }
}

/** For each set of inputs that need a gradient, the operands to save; of more than four inputs, every set is asked for. */
export const saveMasks = (rule: Rule, inputs: number): readonly number[] =>
  Array.from({ length: inputs > 4 ? 0 : 1 << inputs }, (_, needs) => saved(rule, needs));
