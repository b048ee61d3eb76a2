/** Function transforms: `grad`, `valueAndGrad`, `vjp`, `jvp` and others. They can be nested. */
import { needFunction, synchronous } from "../core/arguments.js";
import { describe, fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { mapList } from "../core/shape.js";
import { leavesOf, mapTree } from "../core/tree.js";
import { isTracked } from "../engine/batched.js";
import { mode } from "../engine/modes.js";
import { needTensor } from "../engine/operand.js";
import type { Node } from "../engine/tape.js";
import { zerosLike } from "../tensor/create.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import { sweep } from "./backward.js";
import { pushForward } from "./forward.js";
import { nodeOf } from "./methods.js";
import { seed } from "./seed.js";
import { Evaluation, lift, placesOf } from "./variables.js";

/** An argument of a transformed function: a tensor, a number, or a tree of tensors. */
// biome-ignore lint/suspicious/noExplicitAny: interfaces and tuples of any shape are trees.
export type Argument = any;

/** The type of the gradients: that of the arguments, with tensors for numbers. */
export type GradientOf<T> = T extends number ? Tensor : T;

export interface GradOptions<N extends number | readonly number[] = number | readonly number[]> {
  /** The argument, or an array of arguments, to differentiate with respect to; default 0. An array gives an array. */
  readonly argnums?: N | undefined;
  /** Whether the function returns [value, aux]; then {@link grad} returns [gradients, aux]. Default false. */
  readonly hasAux?: boolean | undefined;
}

export interface GradientsOptions {
  /** The gradients of the results (the vector of the vector-Jacobian product); default 1 for one-element results. */
  readonly gradOutputs?: Tensor | readonly Tensor[] | undefined;
  /** Whether the gradients are recorded so that they can be differentiated; default false. */
  readonly createGraph?: boolean | undefined;
  /** Whether saved values are kept so that backward can run again; default: as createGraph. */
  readonly retainGraph?: boolean | undefined;
  /** Whether to return null for an input that no result depends on instead of throwing; default false. */
  readonly allowUnused?: boolean | undefined;
}

interface Evaluated {
  readonly value: Tensor;
  readonly aux: unknown;
  readonly gradients: readonly unknown[];
}

function differentiate(op: string, f: unknown, args: readonly unknown[], options: GradOptions): Evaluated {
  const { argnums = 0, hasAux = false } = options;
  const lifted = lift(args);
  const chosen = placesOf(op, argnums, lifted.length);
  const outer = chosen.flatMap((n) => leavesOf(lifted[n], isTensor));
  if (outer.length === 0)
    fail("ERR_ARGUMENT", op, "there is no tensor to differentiate by", undefined, describe(args[chosen[0] ?? 0]));
  for (const x of outer)
    if (x.type.kind !== "float")
      fail("ERR_GRADIENT", op, "the derivative by an integer tensor", "a float dtype", x.dtype);
  const evaluation = new Evaluation(op, f, lifted, chosen);
  const { result } = evaluation;
  if (hasAux && !(Array.isArray(result) && result.length === 2))
    fail("ERR_ARGUMENT", op, "with hasAux the function must return a pair", "[value, aux]", describe(result));
  const [output, aux] = hasAux ? (result as [unknown, unknown]) : [result, undefined];
  const value = needTensor(op, synchronous(op, output), "what the function returns");
  if (value.numel !== 1)
    fail(
      "ERR_GRADIENT",
      op,
      "the function must return one element",
      "a result of one element; use vjp or jacobian",
      `shape [${value.shape.join(", ")}]`,
    );
  const linked = evaluation.isLinked(value);
  const others = mapTree(aux, isTensor, (x) => (isTracked(x) ? evaluation.settled(x) : x));
  const retainGraph = linked || leavesOf(others, isTensor).some(isTracked);
  const targets = chosen.flatMap((n) => evaluation.nodes[n] as Node[]);
  const found =
    value.node === null
      ? []
      : sweep([value.node as Node], [seed(op, value, null)], { targets, createGraph: linked, retainGraph });
  let at = 0;
  const gradients = chosen.map((n) => mapTree(lifted[n], isTensor, (x) => found[at++] ?? zerosLike(x.detach())));
  return { value: linked ? value : value.detach(), aux: others, gradients };
}

/**
 * The gradient of a function that returns one element, as a function of the same arguments. Nest it for higher
 * derivatives. Arguments are tensors, numbers, or trees (arrays and plain objects) of tensors; a tree gives a tree of
 * gradients.
 *
 * The result is connected to tensors that the function closes over, such as a module's parameters, so a later backward
 * reaches them; the values saved for it live as long as the result. `noGrad(() => grad(f)(x))` saves nothing.
 *
 * Called with tensors, `grad(results, inputs)`, it returns the gradients of the results with respect to the inputs, as
 * torch.autograd.grad.
 * @throws ERR_GRADIENT if the function returns several elements, and in the second form, unless `allowUnused`, if no
 * result depends on an input; ERR_ARGUMENT for an argument without tensors or numbers.
 * @example grad((x) => x.sin())(0).item(); // 1
 */
export function grad<A extends Argument[] = Tensor[], const N extends number | readonly number[] = 0>(
  f: (...args: A) => Tensor,
  options?: GradOptions<N> & { readonly hasAux?: false | undefined },
): (...args: Lifted<A>) => Chosen<A, N>;
export function grad<A extends Argument[] = Tensor[], X = unknown, const N extends number | readonly number[] = 0>(
  f: (...args: A) => readonly [Tensor, X],
  options: GradOptions<N> & { readonly hasAux: true },
): (...args: Lifted<A>) => [Chosen<A, N>, X];
export function grad(
  y: Tensor | readonly Tensor[],
  xs: Tensor | readonly Tensor[],
  options?: GradientsOptions,
): (Tensor | null)[];
export function grad(first: unknown, second?: unknown, third?: unknown): unknown {
  if (isTensor(first) || Array.isArray(first))
    return gradients(first as Tensor, second as Tensor, third as GradientsOptions);
  needFunction("grad", first);
  const options = checkOptions<GradOptions>("grad", second as GradOptions | undefined, ["argnums"], ["hasAux"]);
  return gradFor("grad", first, options);
}

/** @internal As {@link grad}, for another transform: errors bear the name `op`. */
export function gradFor(op: string, f: unknown, options: GradOptions): (...args: unknown[]) => unknown {
  return (...args) => {
    const { gradients: found, aux } = differentiate(op, f, args, options);
    const out = typeof (options.argnums ?? 0) === "number" ? found[0] : found;
    return options.hasAux === true ? [out, aux] : out;
  };
}

/** The arguments that a transformed function takes: a number may take the place of a tensor. */
export type Lifted<A extends unknown[]> = { [K in keyof A]: A[K] extends Tensor ? Tensor | number : A[K] };
export type Chosen<A extends unknown[], N> = N extends number
  ? A[N] extends undefined
    ? Tensor
    : GradientOf<A[N]>
  : N extends readonly number[]
    ? { -readonly [K in keyof N]: N[K] extends number ? GradientOf<A[N[K]]> : never }
    : never;

/**
 * As {@link grad}, but returns `[value, gradients]`, or `[[value, aux], gradients]` with `hasAux`. Except inside {@link
 * noGrad}, both are connected to tensors that the function closes over.
 * @throws as {@link grad}.
 * @example
 * const [value, slope] = valueAndGrad((x: Tensor) => x.square())(3);
 * value.item(); // 9
 * slope.item(); // 6
 */
export function valueAndGrad<A extends Argument[] = Tensor[], const N extends number | readonly number[] = 0>(
  f: (...args: A) => Tensor,
  options?: GradOptions<N> & { readonly hasAux?: false | undefined },
): (...args: Lifted<A>) => [Tensor, Chosen<A, N>];
export function valueAndGrad<
  A extends Argument[] = Tensor[],
  X = unknown,
  const N extends number | readonly number[] = 0,
>(
  f: (...args: A) => readonly [Tensor, X],
  options: GradOptions<N> & { readonly hasAux: true },
): (...args: Lifted<A>) => [[Tensor, X], Chosen<A, N>];
export function valueAndGrad(f: (...args: never[]) => unknown, given?: GradOptions): (...args: never[]) => unknown {
  needFunction("valueAndGrad", f);
  const options = checkOptions<GradOptions>("valueAndGrad", given, ["argnums"], ["hasAux"]);
  return valueAndGradFor("valueAndGrad", f, options);
}

/** @internal As {@link valueAndGrad}, for another transform: errors bear the name `op`. */
export function valueAndGradFor(op: string, f: unknown, options: GradOptions): (...args: unknown[]) => unknown[] {
  return (...args) => {
    const { value, aux, gradients: found } = differentiate(op, f, args, options);
    const out = typeof (options.argnums ?? 0) === "number" ? found[0] : found;
    return [options.hasAux === true ? [value, aux] : value, out];
  };
}

const listOf = (op: string, x: unknown): readonly Tensor[] =>
  mapList(Array.isArray(x) ? (x as unknown[]) : [x], (item) => needTensor(op, item, "every element"));

function gradients(
  y: Tensor | readonly Tensor[],
  xs: Tensor | readonly Tensor[],
  options?: GradientsOptions,
): (Tensor | null)[] {
  const ys = listOf("grad", y);
  const targets = listOf("grad", xs);
  const given = checkOptions<GradientsOptions>(
    "grad",
    options,
    ["gradOutputs"],
    ["createGraph", "retainGraph", "allowUnused"],
  );
  const outputs = given.gradOutputs === undefined ? [] : listOf("grad", given.gradOutputs);
  if (outputs.length > 0 && outputs.length !== ys.length)
    fail("ERR_ARGUMENT", "grad", "every result needs its gradient", String(ys.length), String(outputs.length));
  const createGraph = given.createGraph === true;
  const found = sweep(
    ys.map((result) => nodeOf("grad", result, "the result")),
    ys.map((result, i) => seed("grad", result, outputs[i])),
    {
      targets: targets.map((x) => nodeOf("grad", x, "an input")),
      createGraph,
      retainGraph: given.retainGraph ?? createGraph,
    },
  );
  if (given.allowUnused !== true && found.includes(null))
    fail(
      "ERR_GRADIENT",
      "grad",
      `the result does not depend on input ${found.indexOf(null)}`,
      "allowUnused: true to get null for it",
    );
  return found;
}

/**
 * The value of a function, and its vector-Jacobian product: a function that takes the gradient of the value and returns
 * the gradients of the arguments. Except inside {@link noGrad}, both are connected to tensors that the function closes
 * over, and the gradients also to the one that is passed.
 * @throws ERR_ARGUMENT unless the function returns a tensor; ERR_SHAPE, ERR_DTYPE if the gradient differs from the
 * value in shape or dtype.
 * @example
 * const [y, pull] = vjp((x: Tensor) => x.square(), tensor([1, 2]));
 * pull(tensor([1, 1]))[0].toArray(); // [2, 4]
 */
export function vjp<A extends Argument[] = Tensor[]>(
  f: (...args: A) => Tensor,
  ...args: Lifted<A>
): [Tensor, (cotangent: Tensor) => { [K in keyof A]: GradientOf<A[K]> }] {
  needFunction("vjp", f);
  const [value, pull] = vjpFor("vjp", f, args);
  return [value, pull as (cotangent: Tensor) => { [K in keyof A]: GradientOf<A[K]> }];
}

/** @internal As {@link vjp}, for another transform: errors bear the name `op`. */
export function vjpFor(op: string, f: unknown, args: readonly unknown[]): [Tensor, (cotangent: Tensor) => unknown] {
  const lifted = lift(args);
  const evaluation = new Evaluation(op, f, lifted);
  const value = needTensor(op, evaluation.result, "what the function returns");
  const linked = evaluation.isLinked(value);
  const nodes = evaluation.nodes.flat();
  const targets = nodes.filter((node) => node !== null);
  const pull = (given: Tensor): unknown => {
    const cotangent = needTensor(op, given, "the cotangent");
    const g = seed(op, value, cotangent);
    const createGraph = mode.grad && (linked || isTracked(cotangent));
    const found =
      value.node === null ? [] : sweep([value.node as Node], [g], { targets, createGraph, retainGraph: true });
    const byNode = new Map(targets.map((node, i) => [node, found[i]]));
    let at = 0;
    return lifted.map((arg) =>
      mapTree(arg, isTensor, (x) => {
        const node = nodes[at++];
        return (node ? byNode.get(node) : null) ?? zerosLike(x.detach());
      }),
    );
  };
  return [linked ? value : value.detach(), pull];
}

/** @internal ERR_ARGUMENT unless arguments and vectors are arrays. */
export function needLists(op: string, ...lists: readonly unknown[]): void {
  for (const list of lists)
    if (!Array.isArray(list))
      fail("ERR_ARGUMENT", op, "arguments and their vectors are not lists", "arrays", describe(list));
}

/**
 * The value of a function, and its Jacobian-vector product in forward mode: the derivative along tangents of the
 * arguments. Except inside {@link noGrad}, both are connected to tensors that the function closes over, and the
 * derivative also to the tangents.
 * @throws ERR_ARGUMENT unless arguments and tangents are arrays of the same length; ERR_SHAPE if a tangent does not
 * have the shape of its argument.
 * @example
 * const [y, dy] = jvp((x: Tensor) => x.square(), [tensor([3])], [tensor([1])]);
 * dy.toArray(); // [6]
 */
export function jvp<A extends Argument[] = Tensor[]>(
  f: (...args: A) => Tensor,
  args: readonly [...Lifted<A>],
  tangents: readonly [...Lifted<A>],
): [Tensor, Tensor] {
  needFunction("jvp", f);
  needLists("jvp", args, tangents);
  return jvpFor("jvp", f, args, tangents);
}

/** @internal As {@link jvp}, for another transform: errors bear the name `op`. */
export function jvpFor(
  op: string,
  f: unknown,
  args: readonly unknown[],
  tangents: readonly unknown[],
): [Tensor, Tensor] {
  const lifted = lift(args);
  const directions = leavesOf(lift(tangents), isTensor);
  const outer = leavesOf(lifted, isTensor);
  if (directions.length !== outer.length)
    fail("ERR_ARGUMENT", op, "every argument needs a tangent", String(outer.length), String(directions.length));
  directions.forEach((t, i) => seed(op, outer[i]!, t));
  const evaluation = new Evaluation(op, f, lifted);
  const value = needTensor(op, evaluation.result, "what the function returns");
  const linked = evaluation.isLinked(value);
  const keep = linked || (mode.grad && directions.some(isTracked));
  const tangent = pushForward(value, evaluation.nodes.flat(), directions, keep) ?? zerosLike(value.detach());
  return [linked ? value : value.detach(), tangent];
}
