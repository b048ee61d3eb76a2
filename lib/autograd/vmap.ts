/** `vmap`: turns a function of one example into a function of a batch. */
import { needChoice, needFunction, needInteger, synchronous } from "../core/arguments.js";
import { describe, fail, named } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { axis, showShape } from "../core/shape.js";
import { leavesOf, mapTree } from "../core/tree.js";
import { Batched, belongsTo, type Level, type Randomness } from "../engine/batched.js";
import { cat } from "../ops/join.js";
import { defaultGenerator } from "../ops/random.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import { inVmap } from "./batching.js";
import type { Argument, Lifted } from "./transforms.js";
import { lift } from "./variables.js";

/** One dimension for all tensors of a tree, or a tree of dimensions; null for tensors that all examples share. */
export type Dims = number | null | readonly Dims[] | { readonly [key: string]: Dims };

export interface VmapOptions {
  /** The batch axis of the arguments: one for all, or an array with one for each. Default 0. */
  readonly inDims?: Dims | undefined;
  /** The batch axis of the results. Default 0. */
  readonly outDims?: Dims | undefined;
  /** Random ops are an error ("error", the default), or draw "different" or the "same" numbers for each example. */
  readonly randomness?: Randomness | undefined;
  /** The largest number of examples that run at once, to save memory; default all. */
  readonly chunkSize?: number | undefined;
}

/** A tensor and its batch axis. */
interface Place {
  readonly x: Tensor;
  readonly dim: number | null;
}

/** The tensors of a tree, each with its dimension. */
function places(what: string, tree: unknown, dims: unknown, out: Place[] = []): Place[] {
  const wrong = (got: unknown): never =>
    fail(
      "ERR_ARGUMENT",
      "vmap",
      `${what} do not fit`,
      "a dim, null, or a tree of them like that of the tensors",
      describe(got),
    );
  if (dims === null || typeof dims === "number") {
    for (const x of leavesOf(tree, isTensor)) out.push({ x, dim: dims });
  } else if (typeof dims !== "object" || isTensor(tree)) wrong(dims);
  else if (Array.isArray(tree)) {
    if (!Array.isArray(dims) || dims.length !== tree.length) wrong(dims);
    tree.forEach((item, i) => {
      places(what, item, (dims as unknown[])[i], out);
    });
  } else if (typeof tree === "object" && tree !== null) {
    for (const [key, item] of Object.entries(tree))
      places(what, item, (dims as Record<string, unknown>)[key] ?? null, out);
  }
  return out;
}

function batchSizeOf(found: readonly Place[]): number {
  let batchSize: number | null = null;
  for (const { x, dim } of found) {
    if (dim === null) continue;
    const size = x.shape[axis("vmap", dim, x.ndim)];
    if (size === undefined)
      fail("ERR_SHAPE", "vmap", "a tensor of rank 0 has no batch axis", "inDims with null for it");
    if (batchSize !== null && size !== batchSize)
      fail(
        "ERR_SHAPE",
        "vmap",
        "the arguments differ in the size of their batch axes",
        String(batchSize),
        `${size} in ${showShape(x.shape)}`,
      );
    batchSize = size;
  }
  return (
    batchSize ??
    fail("ERR_ARGUMENT", "vmap", "no argument has a batch axis", "a tensor whose dim in inDims is not null")
  );
}

/** A result with its batch axis; an unbatched one is expanded. */
function gathered(x: Tensor, level: Level, dim: number | null): Tensor {
  const mapped = belongsTo(x, level);
  if (dim === null) {
    if (mapped) fail("ERR_ARGUMENT", "vmap", "a result depends on the example", "a dim in outDims", "null");
    return x;
  }
  const all = mapped ? x.value : x.expand([level.size, ...x.shape]);
  return dim === 0 ? all : all.movedim(0, axis("vmap", dim, all.ndim));
}

/** A tree with its tensors replaced, in order. */
function refilled(tree: unknown, tensors: readonly Tensor[]): unknown {
  let at = 0;
  return mapTree(tree, isTensor, () => tensors[at++]);
}

/**
 * Turns a function of one example into a function of a batch. The function runs once for all examples: it sees tensors
 * without the batch axis (`inDims`), and its results get one at `outDims`. It composes with derivatives in either
 * order: `vmap(grad(f))` gives the gradient of each example.
 *
 * Inside, a tensor stands for a batch: it has a shape but no values, so `item()` and other reads are errors. Arguments
 * and results may be trees (arrays and plain objects) of tensors; all examples share the tensors that the function
 * closes over.
 * @throws ERR_SHAPE if batch axes differ in size; ERR_ARGUMENT if no argument has one, for random ops unless
 * `randomness` allows them, and for reads and writes of batched tensors inside.
 * @example
 * const slopes = vmap(grad((x: Tensor) => x.pow(3)));
 * slopes(tensor([1, 2])).toArray(); // [3, 12]
 */
export function vmap<A extends Argument[] = Tensor[], R = unknown>(
  f: (...args: A) => R,
  options?: VmapOptions,
): (...args: Lifted<A>) => R {
  needFunction("vmap", f);
  const {
    inDims = 0,
    outDims = 0,
    randomness = "error",
    chunkSize,
  } = checkOptions<VmapOptions>("vmap", options, ["inDims", "outDims", "randomness", "chunkSize"]);
  needChoice("vmap", "randomness", randomness, ["error", "same", "different"]);
  if (chunkSize !== undefined) needInteger("vmap", "chunkSize", chunkSize, 1);

  return (...args: unknown[]): R => {
    const given = lift(args);
    // Throws for a cyclic tree.
    leavesOf(given, isTensor);
    const found = places("inDims", given, inDims);
    const batchSize = batchSizeOf(found);
    const run = (start: number, size: number): { tree: unknown; results: Tensor[]; dims: (number | null)[] } =>
      inVmap(size, randomness, (level) => {
        const inner = found.map(({ x, dim }) => {
          if (dim === null) return x;
          const piece = size === batchSize ? x : x.narrow(dim, start, size);
          return new Batched(piece.movedim(dim, 0), level);
        });
        const tree = synchronous(
          "vmap",
          (f as (...whole: unknown[]) => unknown)(...(refilled(given, inner) as unknown[])),
        );
        const out = places("outDims", tree, outDims);
        if (out.length === 0) fail("ERR_ARGUMENT", "vmap", "the function returns no tensor", undefined, describe(tree));
        return { tree, results: out.map(({ x, dim }) => gathered(x, level, dim)), dims: out.map(({ dim }) => dim) };
      });
    const chunk = chunkSize ?? batchSize;
    if (batchSize <= chunk) {
      const { tree, results } = run(0, batchSize);
      return refilled(tree, results) as R;
    }
    const random = defaultGenerator.copyKey();
    const parts = Array.from({ length: Math.ceil(batchSize / chunk) }, (_, k) => {
      if (randomness === "same") defaultGenerator.replaceKey(random.copy());
      return run(k * chunk, Math.min(chunk, batchSize - k * chunk));
    });
    const { tree, results, dims } = parts[0]!;
    const joined = results.map((x, i) => {
      const dim = dims[i]!;
      return dim === null
        ? x
        : named("vmap", () =>
            cat(
              parts.map((part) => part.results[i]!),
              dim,
            ),
          );
    });
    return refilled(tree, joined) as R;
  };
}
