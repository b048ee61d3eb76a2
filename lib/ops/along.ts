/** Shared by ops along one dimension. */
import { checkOptions, type Flags, type Settings } from "../core/options.js";
import { axis } from "../core/shape.js";
import type { Tensor } from "../tensor/tensor.js";

interface HasDim {
  readonly dim?: number | undefined;
}

/** @internal The parameters of an op along a dimension, with `dim` moved by one for vmap's batch axis in front. */
export const after = <P extends { readonly dim: number }>(p: P): P => ({ ...p, dim: p.dim + 1 });

/** @internal Reads the trailing arguments `dim?, options?`, or options in the place of dim. */
export function dimAndOptions<T extends HasDim>(
  op: string,
  x: { readonly ndim: number },
  dim: number | T | undefined,
  options: T | undefined,
  known: readonly Settings<T>[],
  flags: readonly Flags<T>[] = [],
  fallback = -1,
): Partial<T> & { readonly dim: number } {
  const inPlace = typeof dim === "object" && dim !== null && !Array.isArray(dim);
  const given = checkOptions<T>(op, inPlace ? dim : options, known, flags);
  const named = inPlace || dim === undefined ? given.dim : dim;
  return { ...given, dim: axis(op, named === undefined ? fallback : named, x.ndim) };
}

/** @internal Applies f to x and the dimension; a tensor of rank 0 is treated as one of rank 1. */
export function withAxis(op: string, x: Tensor, dim: number, f: (x: Tensor, dim: number) => Tensor): Tensor {
  const at = axis(op, dim, x.ndim);
  return x.ndim === 0 ? f(x.reshape([1]), 0).reshape([]) : f(x, at);
}
