/** Shared by transforms: fresh variables in place of the arguments, and what results stay connected to. */
import { synchronous } from "../core/arguments.js";
import { describe, fail, showBounds } from "../core/errors.js";
import { mapTree } from "../core/tree.js";
import { Batched } from "../engine/batched.js";
import { mode, withGrad } from "../engine/modes.js";
import { defineRow } from "../engine/row.js";
import { LeafNode, type Node, newestNode } from "../engine/tape.js";
import { view } from "../engine/view.js";
import { scalar } from "../tensor/from-data.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import { reaches } from "./topological-order.js";

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
 * graph, the variable is linked to it, so that an outer derivative can pass through.
 */
function variable(x: Tensor): Tensor {
  if (x.type.kind !== "float") return x;
  if (mode.grad && x.node !== null) return view(aliasRow, x, x.shape, x.layout, x.offset, undefined);
  const fresh = x instanceof Batched ? x.linked(null) : x.detach();
  fresh.node = new LeafNode(fresh);
  return fresh;
}

/** Numbers become tensors; anything else stays as it is. */
export const lift = (args: readonly unknown[]): unknown[] =>
  args.map((arg) => (typeof arg === "number" ? scalar(arg) : arg));

/** The positions of the arguments that `argnums` names. */
export function placesOf(op: string, argnums: unknown, count: number): readonly number[] {
  const places: readonly unknown[] = Array.isArray(argnums) ? argnums : [argnums];
  for (const n of places)
    if (typeof n !== "number" || !Number.isInteger(n) || n < 0 || n >= count)
      fail("ERR_ARGUMENT", op, "argnums names no argument", showBounds(0, count - 1, "argument"), describe(n));
  return places as readonly number[];
}

/** A function's result on variables in place of its arguments, recorded whatever the mode outside. */
export class Evaluation {
  readonly result: unknown;
  /** The variables' nodes in each argument; null for an integer tensor. */
  readonly nodes: readonly (readonly (Node | null)[])[];
  /** The newest node before the variables. */
  private readonly floor: number;

  /** Calls `f` with variables in place of all tensors, or of those in the arguments at `places`. */
  constructor(op: string, f: unknown, args: readonly unknown[], places?: readonly number[]) {
    this.floor = newestNode();
    const nodes: (Node | null)[][] = args.map(() => []);
    const inner = args.map((arg, n) => {
      if (places?.includes(n) === false) return arg;
      return mapTree(arg, isTensor, (x) => {
        const own = variable(x);
        nodes[n]!.push(own === x ? null : (own.node as Node));
        return own;
      });
    });
    this.nodes = nodes;
    this.result = withGrad(true, () => synchronous(op, (f as (...inner: unknown[]) => unknown)(...inner)));
    for (const node of nodes.flat()) if (node?.leaf) node.closed = true;
  }

  /** Whether a result stays connected to tensors other than the variables: not inside noGrad. */
  isLinked(x: Tensor): boolean {
    return mode.grad && reaches(x, this.floor);
  }

  /** A result as the transform returns it: detached unless it is linked. */
  settled(x: Tensor): Tensor {
    return this.isLinked(x) ? x : x.detach();
  }
}
