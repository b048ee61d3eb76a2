/// <reference lib="esnext.disposable" preserve="true" />
import { brand } from "../core/copy.js";
import { type DType, type DTypeRow, dtypes, type TypedArray } from "../core/dtype.js";
import { describe, fail, named } from "../core/errors.js";
import { contiguousStrides, maxRank, numel, type Shape, showShape } from "../core/shape.js";
import { begin, door, failed, putOperand } from "../native/frame.js";
import { Handle, raise } from "./handle.js";
import { needHeapForArrays, typedArray } from "./javascript-memory.js";
import { formatEdges, formatTensor, shownEdge } from "./print.js";

/** Nested arrays of numbers, booleans or bigints, as deep as the tensor has dimensions. */
export type NestedArray = number | boolean | bigint | readonly NestedArray[];

/** A tensor's node in the graph; made in engine/tape.ts. */
export interface GraphNode {
  readonly leaf: boolean;
  gradient(): Tensor | null;
  setGradient(value: Tensor | null): void;
}

/** @internal Set by engine/leaf.ts: makes a tensor a leaf. */
export const leaves: { make: (x: Tensor) => GraphNode } = {
  make: () => fail("ERR_GRADIENT", "requiresGrad", "the engine is not loaded"),
};

/** Apart from the constructor, so that V8 has room to inline that in every op. */
const refuseNew = (): never =>
  fail("ERR_ARGUMENT", "Tensor", "tensors are made by functions", "tensor(data), zeros(shape), ...", "new Tensor");

/**
 * An n-dimensional array of one dtype, optionally with a record of how it was computed.
 *
 * Made by {@link tensor} and other creation functions; most ops are both methods and functions. Memory is managed
 * automatically: the storages of unreachable tensors are freed, even in a loop that never yields to the event loop.
 * @example
 * const x = tensor([[1, 2], [3, 4]]);
 * x.shape; // [2, 2]
 * x.sum().item(); // 10
 */
export class Tensor {
  /** Sizes of the dimensions, outermost first. */
  readonly shape: Shape;
  /** @internal */ handle: Handle;
  /** @internal */ type: DTypeRow;
  /** @internal Strides in elements, or null for row-major. */ readonly layout: readonly number[] | null;
  /** @internal */ offset: number;
  /** @internal */ node: GraphNode | null;

  /** @internal Use {@link tensor}. */
  constructor(
    handle: Handle,
    type: DTypeRow,
    shape: Shape,
    layout: readonly number[] | null,
    offset: number,
    node: GraphNode | null,
  ) {
    if (!(handle instanceof Handle)) refuseNew();
    this.shape = shape;
    this.handle = handle;
    this.type = type;
    this.layout = layout;
    this.offset = offset;
    this.node = node;
  }

  /** The element type. */
  get dtype(): DType {
    return this.type.name;
  }
  /** The number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }
  /** The number of elements. */
  get numel(): number {
    return numel(this.shape);
  }
  /** The stride of each dimension, in elements; 0 for an expanded dimension. */
  get strides(): readonly number[] {
    return this.layout ?? contiguousStrides(this.shape);
  }
  /** Whether the tensor is a leaf of the graph: no recorded op produced it. */
  get isLeaf(): boolean {
    return this.node === null || this.node.leaf;
  }
  /** Whether ops on this tensor are recorded. Can be set on leaves of a float dtype; else ERR_GRADIENT. */
  get requiresGrad(): boolean {
    return this.node !== null;
  }
  set requiresGrad(value: boolean) {
    if (value === this.requiresGrad) return;
    if (value) this.node = leaves.make(this);
    else if (this.isLeaf) this.node = null;
    else fail("ERR_GRADIENT", "requiresGrad", "only a leaf can stop requiring grad; use detach()");
  }
  /** The gradient accumulated by `backward`, or null. Can be set to null or to a tensor of the same shape and dtype. */
  get grad(): Tensor | null {
    return this.node === null ? null : this.node.gradient();
  }
  set grad(value: Tensor | null) {
    if (value === null && this.node === null) return;
    if (this.node === null || !this.node.leaf)
      fail("ERR_GRADIENT", "grad", "only a leaf that requires grad holds a gradient");
    this.node.setGradient(value);
  }

  /**
   * The value of a one-element tensor as a number; booleans are 0 and 1.
   * @throws ERR_SHAPE for any other number of elements; ERR_DTYPE for an int64 beyond 2^53 - 1.
   */
  item(): number {
    this.touch("item", 1);
    const value = door.item();
    if (failed()) {
      const { code } = this;
      raise("item", () =>
        code === dtypes.int64.code ? "the int64 is not exact as a number; use toTypedArray()" : undefined,
      );
    }
    return value;
  }
  private get code(): number {
    return this.type.code;
  }

  /**
   * A copy of the elements in row-major order, as the typed array for the dtype: for bool a Uint8Array, for int64 a
   * BigInt64Array, for bfloat16 and float16 a Float32Array of their exact values.
   */
  toTypedArray(): TypedArray {
    const target = typedArray<TypedArray>("toTypedArray", this.type.array, numel(this.shape));
    this.touch("toTypedArray");
    door.read(target);
    if (failed()) raise("toTypedArray");
    return target;
  }

  /** @internal The elements as in files: as {@link toTypedArray}, but the bits for half precision. */
  toStored(): TypedArray {
    if (!this.type.half) return this.toTypedArray();
    const target = typedArray("toTypedArray", Uint16Array, numel(this.shape));
    this.touch("toTypedArray");
    door.read(target);
    if (failed()) raise("toTypedArray");
    return target;
  }

  /**
   * The elements as nested arrays; for rank 0 the value itself. ERR_DTYPE for an int64 that is not exact as a number.
   */
  // biome-ignore lint/suspicious/noExplicitAny: the depth of the result is not in the type; the caller may name it.
  toArray<A extends NestedArray = any>(): A {
    needHeapForArrays("toArray", this.shape);
    const flat = named("toArray", () => this.toTypedArray());
    const bool = this.type.kind === "bool";
    let at = 0;
    const value = (): NestedArray => {
      const element = flat[at++]!;
      if (typeof element === "bigint") return exact(element);
      return bool ? element !== 0 : element;
    };
    const build = (dim: number): NestedArray =>
      dim === this.shape.length ? value() : Array.from({ length: this.shape[dim]! }, () => build(dim + 1));
    return build(0) as A;
  }

  /** The size of one dimension; a negative one counts from the end. ERR_AXIS out of range. */
  size(dim: number): number {
    const found = typeof dim === "number" ? this.shape[dim < 0 ? dim + this.shape.length : dim] : undefined;
    return found ?? fail("ERR_AXIS", "size", "dim is out of range", `a dim of rank ${this.ndim}`, describe(dim));
  }

  /** The shape as a tuple of `n` sizes; ERR_SHAPE for another rank. */
  dims<N extends number>(n: N): Sizes<N> {
    if (this.shape.length !== n)
      fail("ERR_SHAPE", "dims", "the rank differs", `rank ${describe(n)}`, showShape(this.shape));
    return [...this.shape] as Sizes<N>;
  }

  /**
   * Releases this tensor now: using it is then ERR_DISPOSED. Graphs, views and other threads keep the storage they
   * need.
   */
  dispose(): void {
    if (--this.handle.users <= 0) this.handle.release();
    this.handle = ended;
  }
  /** The same as {@link dispose}, for `using x = ...`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  toJSON(): NestedArray {
    return this.toArray();
  }
  toString(): string {
    const { shape, dtype } = this;
    const edge = shownEdge(shape);
    const edges = edge === null ? null : edgesOf(this, edge);
    if (edges === null) return formatTensor(this.toTypedArray(), shape, dtype);
    return formatEdges(edges.toTypedArray(), shape, dtype);
  }
  /** @internal */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.handle.slot < 0 ? "Tensor (disposed of)" : this.toString();
  }
  /** Throws, because `a * b` would silently leave the graph. */
  [Symbol.toPrimitive](hint: string): string {
    if (hint === "string") return this.toString();
    return fail("ERR_ARGUMENT", "valueOf", "a tensor is not a number; use a.mul(b), a.add(b), ... or a.item()");
  }

  /** Writes this tensor into the frame as the only operand of a native call. */
  protected touch(op: string, elements?: number): void {
    if (elements !== undefined && numel(this.shape) !== elements)
      fail("ERR_SHAPE", op, "not a one-element tensor", "1 element", `shape ${showShape(this.shape)}`);
    begin(0, 0, 1, []);
    putOperand(0, this.handle, this.type.code, this.shape, this.layout, this.offset, 0);
  }
}
brand("Tensor", Tensor);

// Own properties of tensors: an object that only inherits the prototype is refused when one is read.
for (const field of ["shape", "handle", "type", "layout", "offset", "node"])
  Object.defineProperty(Tensor.prototype, field, {
    get: () => fail("ERR_ARGUMENT", "Tensor", "the object only has a tensor's prototype", "a tensor"),
  });

/**
 * A view of the first and last elements of each axis, which splits a long axis into two: the end and the position in
 * it. Null if the view would have too many dimensions. Outside the class, because esbuild renames a class that refers
 * to itself.
 */
function edgesOf(x: Tensor, count: number): Tensor | null {
  const { strides } = x;
  const shape = x.shape.flatMap((size) => (size > 2 * count ? [2, count] : [size]));
  if (shape.length > maxRank) return null;
  const layout = x.shape.flatMap((size, i) => {
    const step = strides[i]!;
    return size > 2 * count ? [(size - count) * step, step] : [step];
  });
  return new Tensor(x.handle, x.type, shape, layout, x.offset, null);
}

/** A tuple of N numbers. */
export type Sizes<N extends number, A extends number[] = []> = number extends N
  ? number[]
  : A["length"] extends N
    ? A
    : Sizes<N, [...A, number]>;

function exact(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number))
    fail("ERR_DTYPE", "toArray", "the int64 is not exact as a number; use toTypedArray()", undefined, `${value}n`);
  return number;
}

// The handle of a disposed tensor: its slot is never valid, so native code refuses it.
const ended = {
  slot: -1,
  generation: -1,
  version: -1,
  users: 0,
  holders: 0,
  kept: false,
  borrowed: true,
  block: null,
  take() {},
  release() {},
} as Handle;

/**
 * Whether a value is a tensor of this copy of nabla.
 * @example isTensor([1, 2]); // false
 */
export const isTensor = (value: unknown): value is Tensor => value instanceof Tensor;
