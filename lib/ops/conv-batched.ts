/**
 * How vmap runs convolutions: it merges the batch axis into one of their four indices, so that one convolution computes
 * the batch.
 */
import type { Tensor } from "../tensor/tensor.js";

/** The indices of an operand's dimensions: images, groups, and a group's output and input channels. */
type Index = "image" | "group" | "out" | "in";
/** The operands of the three convolutions: y [image, group out], x [image, group in] and w [group out, in]. */
export type Role = keyof typeof indices;
const indices = {
  y: ["image", "group", "out"],
  x: ["image", "group", "in"],
  w: ["group", "out", "in"],
} as const satisfies Record<string, readonly Index[]>;

/** The index that the batched operands share and the other lacks. */
function shared(batched: readonly Role[]): Index {
  const all: readonly Index[] = ["image", "group", "out", "in"];
  const roles: readonly Role[] = ["y", "x", "w"];
  return all.find((index) =>
    roles.every((role) => (indices[role] as readonly Index[]).includes(index) === batched.includes(role)),
  )!;
}

/** Sizes by index: a combined dimension of groups and channels is split into two. */
const apart = (role: Role, shape: readonly number[], groups: number): number[] => {
  const [a, b, ...window] = shape as readonly [number, number, ...number[]];
  return role === "w" ? [groups, a / groups, b, ...window] : [a, groups, b / groups, ...window];
};
const together = (role: Role, sizes: readonly number[]): number[] => {
  const [a, b, c, ...window] = sizes as readonly [number, number, number, ...number[]];
  return role === "w" ? [a * b, c, ...window] : [a, b * c, ...window];
};

/** Merges the batch axis of an operand into an index, and the reverse. */
function folded(role: Role, x: Tensor, groups: number, index: Index): Tensor {
  const [batchSize, ...shape] = x.shape as readonly [number, ...number[]];
  const sizes = apart(role, shape, groups);
  const at = (indices[role] as readonly Index[]).indexOf(index);
  const joined = together(role, sizes.with(at, batchSize * sizes[at]!));
  return x
    .reshape([batchSize, ...sizes])
    .movedim(0, at)
    .reshape(joined);
}
function unfolded(
  role: Role,
  y: Tensor,
  shape: readonly number[],
  groups: number,
  index: Index,
  batchSize: number,
): Tensor {
  const sizes = apart(role, shape, groups);
  const at = (indices[role] as readonly Index[]).indexOf(index);
  return y
    .reshape(sizes.toSpliced(at, 0, batchSize))
    .movedim(at, 0)
    .reshape([batchSize, ...shape]);
}

/**
 * @internal The convolution that computes one role from the other two, once for the batch; `shape` is that of one
 * result.
 */
export function batchedConv(
  roles: readonly [Role, Role, Role],
  operands: readonly Tensor[],
  mapped: readonly boolean[],
  batchSize: number,
  groups: number,
  shape: readonly number[],
  run: (a: Tensor, b: Tensor, groups: number) => Tensor,
): Tensor {
  const index = shared(roles.filter((_, i) => i === 2 || mapped[i]));
  const [a, b] = operands.map((x, i) => (mapped[i] ? folded(roles[i]!, x, groups, index) : x)) as [Tensor, Tensor];
  const out = run(a, b, index === "group" ? batchSize * groups : groups);
  return unfolded(roles[2], out, shape, groups, index, batchSize);
}
