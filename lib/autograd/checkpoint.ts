/** `checkpoint`: recomputes a part of the graph in backward instead of saving it. */
import { needFunction, synchronous } from "../core/arguments.js";
import { fail } from "../core/errors.js";
import { sameShape } from "../core/shape.js";
import { leavesOf } from "../core/tree.js";
import { isBatched } from "../engine/batched.js";
import { mode } from "../engine/modes.js";
import { needTensor } from "../engine/operand.js";
import { own } from "../engine/saved.js";
import { type Node, newestNode, OpNode } from "../engine/tape.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import { again, emptied, filled, type Situation, situation } from "./again.js";
import { recomputedRow } from "./recomputed.js";
import type { Argument, Lifted } from "./transforms.js";
import { lift } from "./variables.js";

const op = "checkpoint";

interface Recipe extends Situation {
  readonly fn: (...args: unknown[]) => unknown;
  readonly args: unknown;
  /** How many of the node's inputs are arguments; the rest are tensors that the function closes over. */
  readonly given: number;
}

/** Calls the function again, recorded, and returns its result. */
function recompute(node: OpNode): Tensor {
  const { fn, args, given, ...then } = node.params as Recipe;
  // A parameter that was changed since would give a wrong gradient.
  for (let place = given + 1; place <= node.inputs.length; place++)
    if (node.saved?.[place]) own(node.unpack(place, false) as Tensor).dispose();
  const inner = filled(args, (place) => node.unpack(place, true) as Tensor) as unknown[];
  const y = needTensor(
    op,
    again(then, () => synchronous(op, fn(...inner))),
    "what the function returns",
  );
  if (y.node === null || !sameShape(y.shape, node.shape) || y.type !== node.type)
    fail(
      "ERR_GRADIENT",
      op,
      "the function gave another result the second time",
      "one that depends on its inputs alone",
    );
  return y;
}

const row = recomputedRow<Recipe>(op, recompute);

/** The nodes made since `before` that a result depends on, and the older ones at their boundary. */
function since(root: OpNode, before: number): { inside: OpNode[]; ends: Node[] } {
  const inside: OpNode[] = [];
  const ends: Node[] = [];
  const seen = new Set<Node>([root]);
  // Iterating a Set also visits values added meanwhile.
  for (const node of seen) {
    if (node.serial <= before) ends.push(node);
    else if (!node.leaf) {
      inside.push(node);
      for (const input of node.inputs) if (input !== null) seen.add(input);
    }
  }
  return { inside, ends };
}

/**
 * Calls a function without saving values for backward; backward calls the function again instead. This trades time for
 * memory.
 *
 * Gradients reach the arguments (also tensors inside arrays and plain objects) and the tensors that the function closes
 * over, such as a module's parameters. Both calls draw the same numbers from the default generator; apart from that,
 * the result must depend only on those tensors. Inside {@link vmap} and {@link noGrad} it is a plain call.
 * @throws ERR_ARGUMENT unless the function returns one tensor; ERR_GRADIENT in backward if an argument or parameter has
 * been modified in place since, or the second call gives another shape.
 * @source Chen et al., Training deep nets with sublinear memory cost, 2016.
 * @example
 * const x = tensor([2], { requiresGrad: true });
 * checkpoint((x: Tensor) => x.square().square().sum(), x).backward();
 * x.grad!.item(); // 32
 */
export function checkpoint<A extends Argument[] = Tensor[]>(fn: (...args: A) => Tensor, ...args: Lifted<A>): Tensor {
  needFunction(op, fn);
  const call = fn as (...args: unknown[]) => unknown;
  const all = lift(args);
  const then = situation();
  const before = newestNode();
  const y = needTensor(op, synchronous(op, call(...all)), "what the function returns");
  const root = y.node as Node | null;
  if (!mode.grad || isBatched([y]) || root === null || root.leaf || root.serial <= before) return y;
  const given = leavesOf(all, isTensor);
  const { inside, ends } = since(root, before);
  const ofArguments = new Set(given.map((x) => x.node));
  const closed = ends.filter((node) => !ofArguments.has(node));
  const recipe: Recipe = { ...then, fn: call, args: emptied(all, (x) => given.indexOf(x) + 1), given: given.length };
  const inputs = [...given, ...closed.map((node) => ({ node, shape: node.shape, type: node.type }))];
  const node = new OpNode(row, inputs, recipe, y.shape, y.type, y.type);
  node.pin([null, ...given, ...closed.map((end) => (end.leaf ? end.tensor : null))]);
  for (const inner of inside) inner.release();
  const out = y.detach();
  out.node = node;
  return out;
}
