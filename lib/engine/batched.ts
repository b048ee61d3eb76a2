/** Tensors inside vmap: each stands for one example of a batch that is computed together. */
import { fail } from "../core/errors.js";
import { showShape } from "../core/shape.js";
import { Handle } from "../tensor/handle.js";
import { type GraphNode, Tensor } from "../tensor/tensor.js";

export type Randomness = "error" | "same" | "different";

/** One running vmap. */
export interface Level {
  readonly size: number;
  readonly randomness: Randomness;
  /** The enclosing vmap. */
  readonly outer: Level | null;
  readonly depth: number;
  /** False once the function has returned: a tensor that it leaked cannot be used. */
  running: boolean;
}

/** A tensor with the shape that the function sees; `value` is the whole batch, its batch axis first. */
export class Batched extends Tensor {
  /** @internal */ readonly value: Tensor;
  /** @internal */ readonly level: Level;

  constructor(value: Tensor, level: Level, node: GraphNode | null = null) {
    const handle = new Handle();
    // It has no storage: native code refuses it if the interceptor is bypassed.
    handle.kept = true;
    super(handle, value.type, value.shape.slice(1), null, 0, node);
    this.value = value;
    this.level = level;
  }
  /** The same batch at another node of the graph. */
  linked(node: GraphNode | null): Batched {
    return new Batched(this.value, this.level, node);
  }
  /** Whether it has been disposed of. */
  get disposed(): boolean {
    return this.handle.borrowed;
  }
  /** @internal */
  protected override touch(op: string): void {
    fail("ERR_ARGUMENT", op, "inside vmap a tensor stands for a batch and has no value of its own");
  }
  override toString(): string {
    return `${this.dtype}${showShape(this.shape)} in a batch of ${this.level.size}`;
  }
  /** @internal */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `Tensor (${this.toString()})`;
  }
}

/** Whether a value stands for a batch of this vmap. */
export const belongsTo = (x: unknown, level: Level): x is Batched => x instanceof Batched && x.level === level;

/** Whether one of the values stands for a batch, so that vmap runs the op. */
export function isBatched(values: readonly unknown[]): boolean {
  for (const x of values) if (x instanceof Batched) return true;
  return false;
}

/** The innermost vmap that any of the values belongs to. */
export function innermost(values: readonly unknown[]): Level | null {
  let found: Level | null = null;
  for (const x of values) if (x instanceof Batched && x.level.depth > (found?.depth ?? 0)) found = x.level;
  return found;
}

/** The ordinary tensor with the whole batch (of all levels): what is saved, and what checks of values read. */
export const unwrapBatched = (x: Tensor): Tensor => (x instanceof Batched ? unwrapBatched(x.value) : x);

/** Whether a gradient can reach a tensor, inside vmap or through the batch that it stands for. */
export const isTracked = (x: Tensor): boolean => x.node !== null || (x instanceof Batched && isTracked(x.value));
