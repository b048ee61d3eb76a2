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
export type Place = "out" | "x" | "y" | "z";
const places: readonly Place[] = ["out", "x", "y", "z"];

/** The derivative of an elementwise op with respect to one input. */
export interface Partial {
  /** Operands it needs, as bit mask: bit 0 the output, bit i + 1 input i. */
  readonly saves: number;
  readonly order: readonly number[];
  /** Whether a number operand is passed as a number, not as a tensor of rank 0. */
  readonly numbers: boolean;
  /** t ↦ t·∂out/∂input. The same map serves reverse mode (t a cotangent) and forward mode (t a tangent). */
  readonly times: (t: Tensor, ...saved: readonly Operand[]) => Tensor;
}

type Map<A extends readonly Place[], S> = (t: Tensor, ...saved: { [K in keyof A]: S }) => Tensor;

function build(saves: readonly Place[], times: Partial["times"], numbers: boolean): Partial {
  const order = saves.map((name) => places.indexOf(name));
  return { saves: order.reduce((mask, i) => mask | (1 << i), 0), order, numbers, times };
}

/**
 * The derivative of an elementwise op with respect to one input, as the map t ↦ t·∂; `times` gets t and then the
 * operands named in `saves`, numbers as tensors of rank 0.
 */
export const partial = <const A extends readonly Place[]>(saves: A, times: Map<A, Tensor>): Partial =>
  build(saves, times as unknown as Partial["times"], false);

/** The same for maps that accept numbers. */
export const partialOfNumbers = <const A extends readonly Place[]>(saves: A, times: Map<A, Operand>): Partial =>
  build(saves, times as unknown as Partial["times"], true);

/** ∂ = 1. */
export const one: Partial = partial([], (t) => t);
/** ∂ = -1. */
export const minusOne: Partial = partial([], (t) => t.neg());

/** One per input; null where zero or not needed. */
export type Gradients = readonly (Tensor | null)[];

/** The sum of the tensors that are there, of at least one. */
export const sumOf = (parts: Gradients): Tensor =>
  parts.filter((part) => part !== null).reduce((sum, part) => sum.add(part));

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
  /**
   * Anything else: both directions are given. `saved` holds what `saves` (a bit mask as above) selects, by position.
   */
  | {
      readonly kind: "general";
      readonly saves: number;
      vjp(g: Tensor, saved: readonly Tensor[], c: Context<P>, needs: readonly boolean[]): Gradients;
      jvp(t: readonly (Tensor | null)[], saved: readonly Tensor[], c: Context<P>): Tensor;
      /**
       * The same as vjp by a fused kernel without a rule; null where it cannot. If that result is differentiated, vjp
       * runs.
       */
      fused?(g: Tensor, saved: readonly Tensor[], c: Context<P>): Gradients | null;
    }
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

/** Bits for `saves`. */
export const save = { out: 1, x: 2, y: 4, z: 8 } as const;

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
