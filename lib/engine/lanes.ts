/** Tensors inside vmap: each stands for one of many, its lanes, which are computed together. */
import { fail } from "../core/errors.js";
import { showShape } from "../core/shape.js";
import { Handle } from "../tensor/handle.js";
import { type GraphNode, Tensor } from "../tensor/tensor.js";

export type Randomness = "error" | "same" | "different";

/** One running vmap. */
export interface Level {
  readonly size: number;
  readonly randomness: Randomness;
  /** The vmap around it. */
  readonly outer: Level | null;
  readonly depth: number;
  /** False once the function has returned: what it leaked is of no use. */
  running: boolean;
}

/** A tensor with the shape that the function sees; `whole` has the lanes as a dimension in front. */
export class Lanes extends Tensor {
  /** @internal */ readonly whole: Tensor;
  /** @internal */ readonly level: Level;

  constructor(whole: Tensor, level: Level, node: GraphNode | null = null) {
    const handle = new Handle();
    // It names no storage: whatever goes round the interceptor is refused by native code.
    handle.kept = true;
    super(handle, whole.type, whole.shape.slice(1), null, 0, node);
    this.whole = whole;
    this.level = level;
  }
  /** The same lanes elsewhere in the graph. */
  linked(node: GraphNode | null): Lanes {
    return new Lanes(this.whole, this.level, node);
  }
  /** Whether dispose() has ended it. */
  get disposed(): boolean {
    return this.handle.borrowed;
  }
  /** @internal */
  protected override touch(op: string): void {
    fail("ERR_ARGUMENT", op, "inside vmap a tensor stands for all lanes and has no value of its own");
  }
  override toString(): string {
    return `${this.dtype}${showShape(this.shape)} in each of ${this.level.size} lanes`;
  }
  /** @internal */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `Tensor (${this.toString()})`;
  }
}

/** The innermost vmap that any of the values belongs to. */
export function innermost(values: readonly unknown[]): Level | null {
  let found: Level | null = null;
  for (const x of values) if (x instanceof Lanes && x.level.depth > (found?.depth ?? 0)) found = x.level;
  return found;
}

/** Every lane of x at once, in an ordinary tensor: what is kept, and what checks of values look at. */
export const allLanes = (x: Tensor): Tensor => (x instanceof Lanes ? allLanes(x.whole) : x);

/** Whether a gradient can reach a tensor, inside vmap or through what its lanes are made of. */
export const isTracked = (x: Tensor): boolean => x.node !== null || (x instanceof Lanes && isTracked(x.whole));
