/** Jacobians and Hessians, by rows (reverse mode) or columns (forward mode), and products with them. */
import { needFunction } from "../core/arguments.js";
import { fail, named } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { leavesOf, mapTree } from "../core/tree.js";
import { stack } from "../ops/join.js";
import { eye, zeros, zerosLike } from "../tensor/create.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import { seed } from "./seed.js";
import {
  type Argument,
  type Chosen,
  type GradientOf,
  gradFor,
  jvpFor,
  type Lifted,
  needLists,
  valueAndGradFor,
  vjpFor,
} from "./transforms.js";
import { lift, placesOf } from "./variables.js";

export interface JacobianOptions<N extends number | readonly number[] = number | readonly number[]> {
  /** The argument, or an array of arguments, to differentiate with respect to; default 0. An array gives an array. */
  readonly argnums?: N | undefined;
}

type Function = (...args: Argument[]) => Tensor;

/** The basis tensors of a shape: 1 at one element, 0 elsewhere. */
const basisOf = (op: string, { shape, numel, dtype }: Tensor): Tensor[] =>
  named(op, () => eye(numel, { dtype }).unbind()).map((row) => row.reshape(shape));

/** Joins parts along either end into one tensor of shape [...outer, ...inner]. */
function assembled(op: string, parts: readonly Tensor[], dim: 0 | -1, y: Tensor, x: Tensor): Tensor {
  const shape = [...y.shape, ...x.shape];
  return named(op, () => (parts.length === 0 ? zeros(shape, { dtype: y.dtype }) : stack(parts, dim).reshape(shape)));
}

interface Problem {
  readonly op: string;
  /** The function of the chosen arguments alone, and those arguments. */
  readonly f: Function;
  readonly chosen: readonly unknown[];
}

function problem(op: string, f: Function, args: readonly unknown[], argnums: number | readonly number[]): Problem {
  const all = lift(args);
  const places = placesOf(op, argnums, all.length);
  const chosen = places.map((n) => all[n]);
  for (const x of leavesOf(chosen, isTensor))
    if (x.type.kind !== "float")
      fail("ERR_GRADIENT", op, "the derivative by an integer tensor", "a float dtype", x.dtype);
  return {
    op,
    f: (...inner) => f(...all.map((arg, n) => (places.includes(n) ? inner[places.indexOf(n)] : arg))),
    chosen,
  };
}

/** The arguments with each tensor replaced by its Jacobian. */
function shaped(chosen: readonly unknown[], matrices: readonly Tensor[]): unknown[] {
  let at = 0;
  return chosen.map((arg) => mapTree(arg, isTensor, () => matrices[at++]));
}

function byRows({ op, chosen }: Problem, y: Tensor, pull: (g: Tensor) => unknown): unknown[] {
  const rows = basisOf(op, y).map((g) => leavesOf(pull(g), isTensor));
  return shaped(
    chosen,
    leavesOf(chosen, isTensor).map((x, i) =>
      assembled(
        op,
        rows.map((row) => row[i]!),
        0,
        y,
        x,
      ),
    ),
  );
}

const reverse = (p: Problem): unknown[] => byRows(p, ...vjpFor(p.op, p.f, p.chosen));

function forward({ op, f, chosen }: Problem): unknown[] {
  const leaves = leavesOf(chosen, isTensor);
  const matrices = leaves.map((x, i) => {
    const columns = basisOf(op, x).map((direction) => {
      let at = 0;
      return jvpFor(
        op,
        f,
        chosen,
        chosen.map((arg) => mapTree(arg, isTensor, (leaf) => (at++ === i ? direction : zerosLike(leaf.detach())))),
      );
    });
    const y = columns[0]?.[0] ?? vjpFor(op, f, chosen)[0];
    return assembled(
      op,
      columns.map(([, column]) => column),
      -1,
      y,
      x,
    );
  });
  return shaped(chosen, matrices);
}

/** The cheaper mode: one pass for each element of the result, or of the arguments. */
function either(p: Problem): unknown[] {
  const [y, pull] = vjpFor(p.op, p.f, p.chosen);
  const columns = leavesOf(p.chosen, isTensor).reduce((sum, x) => sum + x.numel, 0);
  return y.numel <= columns ? byRows(p, y, pull) : forward(p);
}

function transform(op: string, f: unknown, options: JacobianOptions | undefined, way: (p: Problem) => unknown[]) {
  needFunction(op, f);
  const { argnums = 0 } = checkOptions<JacobianOptions>(op, options, ["argnums"]);
  return (...args: unknown[]): unknown => {
    const found = way(problem(op, f as Function, args, argnums));
    return typeof argnums === "number" ? found[0] : found;
  };
}

/** A function of the same arguments that returns their Jacobians. */
export type Jacobian = <A extends Argument[] = Tensor[], const N extends number | readonly number[] = 0>(
  f: (...args: A) => Tensor,
  options?: JacobianOptions<N>,
) => (...args: Lifted<A>) => Chosen<A, N>;

/**
 * The Jacobian: the derivatives of all elements of a function's result with respect to all elements of its argument, in
 * reverse mode: one backward pass for each element of the result. If the argument is a tree (arrays and plain objects
 * of tensors), the result is a tree of Jacobians. Except inside {@link noGrad}, the result is connected to tensors that
 * the function closes over.
 * @shape that of the result, then that of the argument.
 * @throws ERR_ARGUMENT unless the function returns a tensor; ERR_GRADIENT for an integer tensor.
 * @example jacrev((x: Tensor) => x.square())(tensor([1, 2])).toArray(); // [[2, 0], [0, 4]]
 */
export const jacrev = ((f, options) => transform("jacrev", f, options, reverse)) as Jacobian;

/**
 * The Jacobian as {@link jacrev}, but in forward mode: one Jacobian-vector product for each element of the argument.
 * @shape as jacrev. @throws as jacrev.
 * @example jacfwd((x: Tensor) => x.square())(tensor([1, 2])).toArray(); // [[2, 0], [0, 4]]
 */
export const jacfwd = ((f, options) => transform("jacfwd", f, options, forward)) as Jacobian;

/**
 * The Jacobian as {@link jacrev}, in reverse mode if the result has no more elements than the arguments, else in
 * forward mode.
 * @shape as jacrev. @throws as jacrev.
 * @example jacobian((x: Tensor) => x.sum())(tensor([1, 2])).toArray(); // [1, 1]
 */
export const jacobian = ((f, options) => transform("jacobian", f, options, either)) as Jacobian;

/**
 * The Hessian: the second derivatives of a function that returns one element. For an array of `argnums`, an array of
 * arrays: entry [i][j] belongs to arguments i and j.
 * @shape that of argument i, then that of argument j.
 * @throws ERR_GRADIENT if the function returns several elements; ERR_ARGUMENT for an argument that is not a tensor.
 * @example hessian((x: Tensor) => x.pow(3).sum())(tensor([1, 2])).toArray(); // [[6, 0], [0, 12]]
 */
export function hessian<A extends Argument[] = Tensor[], const N extends number | readonly number[] = 0>(
  f: (...args: A) => Tensor,
  options?: JacobianOptions<N>,
): (...args: Lifted<A>) => N extends number ? Tensor : Tensor[][] {
  const op = "hessian";
  needFunction(op, f);
  const { argnums = 0 } = checkOptions<JacobianOptions>(op, options, ["argnums"]);
  const rowOf = (n: number) => transform(op, gradFor(op, f, { argnums: n }), { argnums }, reverse);
  const compute = (...args: unknown[]) =>
    typeof argnums === "number"
      ? rowOf(argnums)(...args)
      : placesOf(op, argnums, args.length).map((n) => rowOf(n)(...args));
  return compute as (...args: Lifted<A>) => N extends number ? Tensor : Tensor[][];
}

/**
 * The value of a function that returns one element, and the Hessian-vector product with `ts`, for all arguments. The
 * Hessian is not formed: two backward passes.
 * @throws ERR_ARGUMENT if a vector is missing; ERR_SHAPE if one has another shape than its argument.
 * @example
 * const [y, [product]] = hvp((x: Tensor) => x.pow(3).sum(), [tensor([1, 2])], [tensor([1, 1])]);
 * product.toArray(); // [6, 12]
 */
export function hvp<A extends Argument[] = Tensor[]>(
  f: (...args: A) => Tensor,
  args: readonly [...Lifted<A>],
  ts: readonly [...Lifted<A>],
): [Tensor, { -readonly [K in keyof A]: GradientOf<A[K]> }] {
  const op = "hvp";
  needFunction(op, f);
  needLists(op, args, ts);
  const primals = lift(args as readonly unknown[]);
  const vectors = leavesOf(lift(ts as readonly unknown[]), isTensor);
  const outer = leavesOf(primals, isTensor);
  if (vectors.length !== outer.length)
    fail("ERR_ARGUMENT", op, "every argument needs a vector", String(outer.length), String(vectors.length));
  vectors.forEach((v, i) => seed(op, outer[i]!, v));
  const argnums = primals.map((_, n) => n);
  const along = (...inner: Argument[]): [Tensor, Tensor] => {
    const [y, gradients] = valueAndGradFor(op, f, { argnums })(...inner) as [Tensor, unknown];
    const products = leavesOf(gradients, isTensor).map((g, i) => g.mul(vectors[i]!).sum());
    return [products.reduce((a, b) => a.add(b)), y];
  };
  const [products, y] = gradFor(op, along, { argnums, hasAux: true })(...primals) as [unknown, Tensor];
  return [y, products] as never;
}
