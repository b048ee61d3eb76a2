import { refuse } from "./arguments.js";
import { foreignKind } from "./copy.js";
import { fail } from "./errors.js";

/** Nested plain objects and arrays with leaves of one type: what transforms take as arguments and give as results. */
export type Tree<T> = T | readonly Tree<T>[] | { readonly [key: string]: Tree<T> };

/** A plain object of any realm: its prototype has no prototype. */
export const isPlain = (value: unknown): value is Record<string, unknown> => {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null;
};

/** ERR_ARGUMENT for a tensor of another copy of the library, which would be taken for a plain setting. */
function refuseForeign(value: unknown): void {
  if (foreignKind(value) === "Tensor") refuse("arguments", "a tensor", "a Tensor of this copy of nabla", value);
}

export const deepest = 1000;

/** One level deeper; ERR_ARGUMENT beyond the maximum depth. */
export function enter(depth: number): number {
  if (depth > deepest)
    fail("ERR_ARGUMENT", "arguments", "a tree contains itself, or is too deep", `at most ${deepest} levels`);
  return depth + 1;
}

/** All leaves in order: arrays by position, objects in insertion order. */
export function leavesOf<T>(tree: unknown, isLeaf: (value: unknown) => value is T, out: T[] = [], depth = 0): T[] {
  const next = enter(depth);
  if (isLeaf(tree)) out.push(tree);
  else if (Array.isArray(tree)) for (const item of tree) leavesOf(item, isLeaf, out, next);
  else if (isPlain(tree)) for (const key of Object.keys(tree)) leavesOf(tree[key], isLeaf, out, next);
  else refuseForeign(tree);
  return out;
}

/** The tree with every leaf replaced; anything that is not a leaf, array or plain object is kept. */
export function mapTree<T>(
  tree: unknown,
  isLeaf: (value: unknown) => value is T,
  f: (leaf: T) => unknown,
  depth = 0,
): unknown {
  const next = enter(depth);
  if (isLeaf(tree)) return f(tree);
  if (Array.isArray(tree)) return tree.map((item) => mapTree(item, isLeaf, f, next));
  if (isPlain(tree))
    return Object.fromEntries(Object.entries(tree).map(([key, item]) => [key, mapTree(item, isLeaf, f, next)]));
  refuseForeign(tree);
  return tree;
}
