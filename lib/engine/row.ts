import { fail } from "../core/errors.js";
import type { Shape } from "../core/shape.js";
import { maxSaved, opcode, type Status } from "../native/frame.js";
import type { Refusal } from "../tensor/handle.js";
import type { Tensor } from "../tensor/tensor.js";
import { type Flops, familyFlops, type TensorSpec } from "./cost.js";
import type { Family } from "./family.js";
import { type Operand, type Rule, saved, saveMasks } from "./rule.js";

/** The error bound of a float32 result in units in the last place; "exact" is 0, "tree" is that of a tree of sums. */
export type Accuracy = number | "tree" | "exact";

export type { Family, Operand };

/** Methods, as a row gets only the parameters of its own calls: so each row is a `Row`, whatever its parameters are. */
interface OfCall<P> {
  refuses(params: P, inputs: readonly Operand[], status: Status): Refusal;
  largest(inputs: readonly TensorSpec[], params: P): TensorSpec;
}

/** One op: everything the library knows about it in one place. */
export interface RowSpec<P = unknown> {
  readonly name: string;
  readonly family: Family;
  /** The native kernel, or null for a view, which moves no element. */
  readonly kernel: string | null;
  readonly inputs: number;
  readonly rule: Rule<P>;
  /** Runs the op on other inputs with the parameters of a recorded call. */
  replay(inputs: readonly Operand[], params: P): Tensor;
  /** In float32. */
  readonly accuracy: Accuracy;
  /** How vmap runs it. Default: as its family says; otherwise example by example, which the law of vmap refuses. */
  readonly batch?: Batch<P> | undefined;
  /** Whether elements are only moved, so that half precision needs no conversion. */
  readonly moves?: boolean | undefined;
  /**
   * Whether the kernel, and that of the rule's fused vjp, compute in float32 from half-precision inputs of one dtype and
   * round their results once; a residual output is float32.
   */
  readonly halves?: boolean | undefined;
  /**
   * The positions of half-precision inputs that the kernel reads as float32, by dtype. So does that of a fused vjp, which
   * rounds the gradients of these inputs.
   */
  readonly reads?: { readonly [half: string]: readonly number[] } | undefined;
  /** The parts of an error for a value that the kernel refused. */
  readonly refuses?: OfCall<P>["refuses"] | undefined;
  /** Whether a call depends on more than its inputs, so that it cannot be replayed on others. */
  readonly opaque?: boolean | undefined;
  /** The floating-point operations of a call; default: by family, or those of another row with the same kernel. */
  readonly flops?: Flops | undefined;
  /** For results whose shape depends on values: the largest possible shape. */
  readonly largest?: OfCall<P>["largest"] | undefined;
}

/** How vmap runs an op once for a whole batch (its batching rule). The batch axis is the first one of each batched input. */
export interface Batch<P = unknown> {
  /** Inputs broadcast from their last dimensions, as in elementwise ops; otherwise unbatched inputs are expanded. */
  readonly broadcast?: boolean;
  /** The first dimension counts independent rows: the batch axis is merged into it. */
  readonly rows?: boolean;
  /** The positions of inputs that must not be batched. */
  readonly shared?: readonly number[];
  /** The parameters for inputs with a batch axis in front. */
  params?(p: P, batchSize: number): P;
  /** The op as a composition of others, where the above does not hold. */
  composed?(inputs: readonly Operand[], p: P): Tensor;
  /** Instead of all that: the op on whole batches. The batch axis comes first in the mapped inputs and in the result. */
  whole?(call: WholeCall<P>): Tensor;
}

export interface Row<P = unknown> extends RowSpec<P> {
  readonly opcode: number;
  /** The results of {@link savesOf}, for rows of few inputs. */
  readonly saves: readonly number[];
  /** How many inputs, from the first on, can be kept as small constants, besides what the rule saves. */
  readonly constants: number;
}

/** An op on a batch; `shape` is that of one result. */
export interface WholeCall<P> {
  readonly inputs: readonly Operand[];
  readonly mapped: readonly boolean[];
  readonly batchSize: number;
  readonly params: P;
  readonly shape: Shape;
}

/** For `reads`: positions of inputs that the kernel reads in either half-precision dtype. */
export const eitherHalf = (...places: readonly number[]): NonNullable<RowSpec["reads"]> => ({
  bfloat16: places,
  float16: places,
});

/** The operands of a call to save (a bit mask) where the inputs in `needs` (a bit mask) need a gradient. */
export const savesOf = (row: Row, needs: number): number => row.saves[needs] ?? saved(row.rule, needs);

const rows = new Map<string, Row>();

/** All rows have the same fields in the same order, so that the engine's accesses stay monomorphic. */
const rowOfShape = <P>(
  { name, family, kernel, inputs, rule, replay, accuracy, ...others }: RowSpec<P>,
  code: number,
  saves: readonly number[] = [],
  constants = 0,
): Row<P> => ({
  name,
  opcode: code,
  family,
  kernel,
  inputs,
  rule,
  saves,
  constants,
  replay,
  accuracy,
  ...optional,
  ...others,
});
const optional = {
  batch: undefined,
  moves: undefined,
  halves: undefined,
  reads: undefined,
  refuses: undefined,
  opaque: undefined,
  flops: undefined,
  largest: undefined,
};

const bitsOf = (mask: number): number => {
  let count = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++;
  return count;
};

/** Throws if a rule asks for values that no call can save. Returns all that it may save, as a bit mask. */
function checkedSaves({ name, inputs, rule }: RowSpec): number {
  const refuse = (why: string): never => {
    throw new Error(`the rule of ${name} ${why}`);
  };
  if (rule.kind === "elementwise" && rule.partials.length !== inputs)
    refuse(`has ${rule.partials.length} partial derivatives for ${inputs} inputs`);
  if (rule.kind === "bilinear" && inputs !== 2) refuse(`is bilinear in ${inputs} inputs`);
  const all = saved(rule, -1);
  // Bit 31 would be the sign.
  if (all < 0 || all >= 2 ** (inputs + 1)) refuse(`saves an input that it does not have`);
  // One of them is left for a residual output.
  if (bitsOf(all) >= maxSaved) refuse(`saves ${bitsOf(all)} values, and a node holds ${maxSaved - 1}`);
  return all;
}

/** How many of the first inputs a node can keep in addition to the positions in `mask` and a residual output. */
function roomFor(mask: number): number {
  let count = 0;
  while (count < 30 && bitsOf(mask | (2 << count)) < maxSaved) mask |= 2 << count++;
  return count;
}

/** Adds a row to the table; its kernel must exist and its name must be new. */
export function defineRow<P>(spec: RowSpec<P>): Row<P> {
  if (rows.has(spec.name)) throw new Error(`the op ${spec.name} is defined twice`);
  const all = checkedSaves(spec);
  const row = rowOfShape<P>(
    spec,
    spec.kernel === null ? -1 : opcode(spec.kernel),
    saveMasks(spec.rule, spec.inputs),
    roomFor(all),
  );
  rows.set(spec.name, row);
  setFlops(spec);
  return row;
}

/** The floating-point operations of each kernel: of the first row that has it. */
const flopsOf = new Map<string, Flops>();

function setFlops({ name, kernel, family, flops }: Pick<RowSpec, "name" | "kernel" | "family" | "flops">): void {
  if (kernel === null || flopsOf.has(kernel)) return;
  const count = flops ?? familyFlops[family];
  if (count === null)
    throw new Error(`the row ${name} does not say how many floating-point operations its kernel takes`);
  flopsOf.set(kernel, count);
}

/** How to count the floating-point operations of a kernel. */
export const kernelFlops = (kernel: string): Flops => flopsOf.get(kernel)!;

/** The description of a kernel that is not an op by itself. */
type KernelSpec = Pick<RowSpec, "name" | "family" | "accuracy" | "flops">;

const parts = new Map<string, Row>();

/**
 * Registers a kernel that is part of a derivative or of an optimizer step: it has several results, or writes to
 * existing tensors. It is neither differentiated itself nor called by users.
 */
export function defineKernel<P>(spec: KernelSpec): Row<P> {
  const { name } = spec;
  if (rows.has(name) || parts.has(name)) throw new Error(`the op ${name} is defined twice`);
  const row = rowOfShape<P>(
    {
      ...spec,
      kernel: name,
      inputs: 0,
      opaque: true,
      rule: { kind: "none", reason: "it is a part of other ops" },
      replay: () => fail("ERR_GRADIENT", name, "cannot be replayed"),
    },
    opcode(name),
  );
  parts.set(name, row);
  setFlops(row);
  return row;
}

// Kernels that create tensors are called below the engine, in tensor/allocate.ts.
for (const name of ["empty", "arange"]) defineKernel({ name, family: "creation", accuracy: "exact" });

/** The row of an op; all rows are defined before anything runs. */
export const rowOf = (name: string): Row => rows.get(name)!;

/** A row of its own, outside of the table: what a user's function is recorded as. */
export const privateRow = <P>(spec: RowSpec<P>): Row<P> => rowOfShape(spec, -1);

/** A row with another rule, for calls that save other values. It is not in the table. */
export const withRule = <P>(row: Row<P>, rule: Rule<P>): Row<P> => ({
  ...row,
  rule,
  saves: saveMasks(rule, row.inputs),
  constants: roomFor(saved(rule, -1)),
});

/** The table of ops, in order of definition. */
export const table: ReadonlyMap<string, Row> = rows;

/** The kernels that are not ops by themselves, see {@link defineKernel}. */
export const kernels: ReadonlyMap<string, Row> = parts;
