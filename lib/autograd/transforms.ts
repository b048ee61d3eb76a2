/** Derivatives of functions: `grad`, `valueAndGrad`, `vjp`, `jvp` and what is made of them. They nest to any order. */
import { describe, fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { leavesOf, mapTree } from "../core/tree.js";
import { view } from "../engine/apply.js";
import { isTracked, Lanes } from "../engine/lanes.js";
import { mode, synchronous, withGrad } from "../engine/modes.js";
import { needTensor } from "../engine/operand.js";
import { defineRow } from "../engine/row.js";
import { LeafNode, type Node } from "../engine/tape.js";
import { scalar, zerosLike } from "../tensor/create.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import { seed, sweep } from "./backward.js";
import { pushForward } from "./forward.js";
import { nodeOf } from "./methods.js";

const aliasRow = defineRow<undefined>({
  name: "alias",
  family: "movement",
  kernel: null,
  inputs: 1,
  accuracy: "exact",
  rule: { kind: "linear", transpose: (g) => g },
  replay: ([x]) => x as Tensor,
  batch: {},
});

/**
 * A fresh variable with the value of x: what a transform differentiates with respect to. Where x itself is part of a
 * graph, the variable is linked to it, so that an outer derivative sees through.
 */
function variable(x: Tensor): Tensor {
  if (x.type.kind !== "float") return x;
  if (x.node !== null) return view(aliasRow, x, x.shape, x.layout, x.offset, undefined);
  const fresh = x instanceof Lanes ? x.linked(null) : x.detach();
  fresh.node = new LeafNode(fresh);
  return fresh;
}

/** Runs a transform's inside: recording on, and one level deeper. */
function inside<T>(f: () => T): T {
  mode.depth++;
  try {
    return withGrad(true, f);
  } finally {
    mode.depth--;
  }
}

/** @internal Whether derivatives made now may be differentiated again. */
export const isNested = (inputs: readonly Tensor[]): boolean => mode.depth > 0 || (mode.grad && inputs.some(isTracked));

/** @internal Numbers become tensors; anything else stays as it is. */
export const lift = (args: readonly unknown[]): unknown[] =>
  args.map((arg) => (typeof arg === "number" ? scalar(arg) : arg));

/** A tensor, or a tree of tensors, as a transform takes it; a number becomes a tensor. */
// biome-ignore lint/suspicious/noExplicitAny: interfaces and tuples of any shape are trees.
export type Argument = any;

/** The gradients have the arguments' own types; numbers give tensors. */
export type GradientOf<T> = T extends number ? Tensor : T;

export interface GradOptions<N extends number | readonly number[] = number | readonly number[]> {
  /** Which arguments to differentiate by: 0 unless given; a list gives a list. */
  readonly argnums?: N | undefined;
  /** The function returns [value, aux], and so does the transform. */
  readonly hasAux?: boolean | undefined;
}

export interface GradientsOptions {
  /** The cotangents of the results; ones for one-element results where they are left out. */
  readonly gradOutputs?: Tensor | readonly Tensor[] | undefined;
  readonly createGraph?: boolean | undefined;
  readonly retainGraph?: boolean | undefined;
  /** Give null for an input that no result depends on, instead of an error. */
  readonly allowUnused?: boolean | undefined;
}

interface Evaluated {
  readonly value: Tensor;
  readonly aux: unknown;
  readonly gradients: readonly unknown[];
}

function differentiate(
  op: string,
  f: (...args: never[]) => unknown,
  args: readonly unknown[],
  options: GradOptions,
): Evaluated {
  const { argnums = 0, hasAux = false } = options;
  const chosen = typeof argnums === "number" ? [argnums] : argnums;
  const lifted = lift(args);
  for (const n of chosen)
    if (!Number.isInteger(n) || n < 0 || n >= lifted.length)
      fail("ERR_ARGUMENT", op, "argnums names no argument", `0 to ${lifted.length - 1}`, describe(n));
  const outer = chosen.flatMap((n) => leavesOf(lifted[n], isTensor));
  if (outer.length === 0)
    fail("ERR_ARGUMENT", op, "there is no tensor to differentiate by", undefined, describe(args[chosen[0] ?? 0]));
  for (const x of outer)
    if (x.type.kind !== "float")
      fail("ERR_GRADIENT", op, "the derivative by an integer tensor", "a float dtype", x.dtype);
  const nested = isNested(outer);
  const fresh = new Map<Tensor, Tensor>();
  const inner = lifted.map((arg, n) =>
    chosen.includes(n)
      ? mapTree(arg, isTensor, (x) => {
          const own = fresh.get(x) ?? variable(x);
          fresh.set(x, own);
          return own;
        })
      : arg,
  );
  const variables = chosen.map((n) => leavesOf(inner[n], isTensor));
  const result = inside(() => synchronous(op, f(...(inner as never[]))));
  const [output, aux] = hasAux ? (result as [unknown, unknown]) : [result, undefined];
  const value = needTensor(op, output, "what the function returns");
  if (value.numel !== 1)
    fail(
      "ERR_GRADIENT",
      op,
      "the function must return one element",
      "a result of one element; use vjp or jacobian",
      `shape [${value.shape.join(", ")}]`,
    );
  const nodes = variables.flat().map((x) => x.node as Node);
  const found =
    value.node === null
      ? nodes.map(() => null)
      : sweep([value.node as Node], [seed(op, value, null)], {
          targets: nodes,
          createGraph: nested,
          retainGraph: nested,
        });
  let at = 0;
  const gradients = chosen.map((n) => mapTree(lifted[n], isTensor, (x) => found[at++] ?? zerosLike(x.detach())));
  return { value: nested ? value : value.detach(), aux, gradients };
}

/**
 * The derivative of a function of tensors that returns one element: a function of the same arguments. Nest it for higher
 * orders. Trees (arrays and plain objects) of tensors give trees; numbers stand for tensors.
 *
 * Called with a result tensor instead, the gradients of that result by the given tensors, as torch.autograd.grad.
 * @throws ERR_GRADIENT where the function returns several elements; ERR_ARGUMENT.
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
  if (typeof first !== "function") return gradients(first as Tensor, second as Tensor, third as GradientsOptions);
  const options = checkOptions<GradOptions>("grad", second as GradOptions | undefined, ["argnums", "hasAux"]);
  return (...args: unknown[]) => {
    const { gradients: found, aux } = differentiate("grad", first as (...args: never[]) => unknown, args, options);
    const out = typeof (options.argnums ?? 0) === "number" ? found[0] : found;
    return options.hasAux === true ? [out, aux] : out;
  };
}

/** The arguments a transformed function takes: numbers stand for tensors. */
export type Lifted<A extends unknown[]> = { [K in keyof A]: A[K] extends Tensor ? Tensor | number : A[K] };
export type Chosen<A extends unknown[], N> = N extends number
  ? A[N] extends undefined
    ? Tensor
    : GradientOf<A[N]>
  : N extends readonly number[]
    ? { -readonly [K in keyof N]: N[K] extends number ? GradientOf<A[N[K]]> : never }
    : never;

/**
 * As {@link grad}, with the value beside it: `[value, gradients]`, or `[[value, aux], gradients]` with `hasAux`.
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
  const options = checkOptions<GradOptions>("valueAndGrad", given, ["argnums", "hasAux"]);
  return (...args: unknown[]) => {
    const { value, aux, gradients: found } = differentiate("valueAndGrad", f, args, options);
    const out = typeof (options.argnums ?? 0) === "number" ? found[0] : found;
    return [options.hasAux === true ? [value, aux] : value, out];
  };
}

const listOf = (op: string, x: unknown): readonly Tensor[] =>
  (Array.isArray(x) ? x : [x]).map((item: unknown) => needTensor(op, item, "every element"));

function gradients(
  y: Tensor | readonly Tensor[],
  xs: Tensor | readonly Tensor[],
  options?: GradientsOptions,
): (Tensor | null)[] {
  const ys = listOf("grad", y);
  const targets = listOf("grad", xs);
  const given = checkOptions<GradientsOptions>("grad", options, [
    "gradOutputs",
    "createGraph",
    "retainGraph",
    "allowUnused",
  ]);
  const outputs = given.gradOutputs === undefined ? [] : listOf("grad", given.gradOutputs);
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
 * The value of a function and its pullback: a function that takes a cotangent of the value to those of the arguments.
 * @example
 * const [y, pull] = vjp((x: Tensor) => x.square(), tensor([1, 2]));
 * pull(tensor([1, 1]))[0].toArray(); // [2, 4]
 */
export function vjp<A extends Argument[] = Tensor[]>(
  f: (...args: A) => Tensor,
  ...args: Lifted<A>
): [Tensor, (cotangent: Tensor) => { [K in keyof A]: GradientOf<A[K]> }] {
  const lifted = lift(args);
  const outer = leavesOf(lifted, isTensor);
  const nested = isNested(outer);
  const inner = lifted.map((arg) => mapTree(arg, isTensor, variable));
  const value = needTensor(
    "vjp",
    inside(() => synchronous("vjp", (f as (...args: unknown[]) => unknown)(...inner))),
    "what the function returns",
  );
  const nodes = leavesOf(inner, isTensor).map((x) => x.node as Node | null);
  const pull = (cotangent: Tensor): unknown => {
    const g = seed("vjp", value, needTensor("vjp", cotangent, "the cotangent"));
    const live = nodes.filter((node) => node !== null);
    const again = nested || mode.depth > 0;
    const found =
      value.node === null
        ? live.map(() => null)
        : sweep([value.node as Node], [g], { targets: live, createGraph: again, retainGraph: true });
    const byNode = new Map(live.map((node, i) => [node, found[i] ?? null]));
    let at = 0;
    return lifted.map((arg) =>
      mapTree(arg, isTensor, (x) => {
        const node = nodes[at++] ?? null;
        return (node === null ? null : byNode.get(node)) ?? zerosLike(x.detach());
      }),
    );
  };
  return [nested ? value : value.detach(), pull as (cotangent: Tensor) => { [K in keyof A]: GradientOf<A[K]> }];
}

/**
 * The value of a function and its derivative along tangents of the arguments: forward mode.
 * @throws ERR_SHAPE where a tangent does not have the shape of its argument.
 * @example
 * const [y, dy] = jvp((x: Tensor) => x.square(), [tensor([3])], [tensor([1])]);
 * dy.toArray(); // [6]
 */
export function jvp<A extends Argument[] = Tensor[]>(
  f: (...args: A) => Tensor,
  args: readonly [...Lifted<A>],
  tangents: readonly [...Lifted<A>],
): [Tensor, Tensor] {
  const lifted = lift(args as readonly unknown[]);
  const directions = leavesOf(lift(tangents as readonly unknown[]), isTensor);
  const outer = leavesOf(lifted, isTensor);
  if (directions.length !== outer.length)
    fail("ERR_ARGUMENT", "jvp", "every argument needs a tangent", String(outer.length), String(directions.length));
  directions.forEach((t, i) => seed("jvp", outer[i]!, t));
  const nested = isNested([...outer, ...directions]);
  const inner = lifted.map((arg) => mapTree(arg, isTensor, variable));
  const value = needTensor(
    "jvp",
    inside(() => synchronous("jvp", (f as (...args: unknown[]) => unknown)(...inner))),
    "what the function returns",
  );
  const starts = leavesOf(inner, isTensor).map((x) => x.node as Node | null);
  const tangent = pushForward(value, starts, directions, nested) ?? zerosLike(value.detach());
  return [nested ? value : value.detach(), tangent];
}
