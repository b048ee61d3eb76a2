/** Sums of gradients at a node, and how long they live. */
import { fail } from "../core/errors.js";
import { Batched } from "../engine/batched.js";
import { mode } from "../engine/modes.js";
import { rowOf } from "../engine/row.js";
import { runKernel } from "../engine/run-kernel.js";
import { own } from "../engine/saved.js";
import type { LeafNode, Node } from "../engine/tape.js";
import type { Tensor } from "../tensor/tensor.js";
import { forUser } from "./seed.js";

/** Whether gradients may be added to g in place: nothing is being recorded, and g has a storage of its own. */
export const inPlace = (g: Tensor): boolean => !mode.grad && !(g instanceof Batched);

/** Adds g to the gradient that a node has so far; `fresh` says that a rule has just made g for this node alone. */
export function accumulate(node: Node, g: Tensor, fresh = false): void {
  const { visit } = node;
  const before = visit.cotangent;
  if (before === null) {
    visit.cotangent = g;
    visit.summing = fresh;
    g.handle.holders++;
    return;
  }
  if (visit.summing && !before.handle.kept && before.type === g.type && inPlace(g)) {
    runKernel({ op: "backward", row: rowOf("add"), targets: [before], inputs: [before, g], attrs: g.type.attrs });
    releaseIfUnused(g);
    return;
  }
  const sum = before.add(g);
  sum.handle.holders++;
  visit.cotangent = sum;
  visit.summing = inPlace(sum);
  release(before);
  releaseIfUnused(g);
}

/** Called when one node no longer needs a derivative: its storage is freed once no other node needs it. */
export function release(g: Tensor): void {
  g.handle.holders--;
  releaseIfUnused(g);
}
function releaseIfUnused(g: Tensor): void {
  const { handle } = g;
  if (handle.holders === 0 && !handle.kept && !handle.borrowed) handle.release();
}

/** Adds g to the gradient of a leaf. */
export function accumulateLeaf(leaf: LeafNode, g: Tensor, createGraph: boolean): void {
  if (g instanceof Batched)
    fail("ERR_GRADIENT", "backward", "inside vmap a leaf would get a gradient from every example; use grad(f)");
  const before = leaf.peek();
  if (createGraph) {
    g.handle.kept = true;
    leaf.setGradient(before === null ? forUser(g) : own(before).add(g));
    return;
  }
  const sum = before === null ? g : before.add(g);
  // A leaf's gradient must be its own: a tensor that is reachable elsewhere is copied.
  const shared =
    sum === g &&
    (g.handle.holders > 1 || g.handle.kept || g.handle.users > 1 || g.handle.borrowed || g.layout !== null);
  const kept = shared ? sum.detach().clone() : sum;
  leaf.store(kept);
  if (kept !== g) kept.handle.release();
}
