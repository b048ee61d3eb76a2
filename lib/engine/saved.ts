/** What a graph node saves of tensors: never the tensors themselves. */
import type { DTypeRow } from "../core/dtype.js";
import type { Shape } from "../core/shape.js";
import * as frame from "../native/frame.js";
import { Handle, raise } from "../tensor/handle.js";
import { type GraphNode, Tensor } from "../tensor/tensor.js";
import { Batched, unwrapBatched } from "./batched.js";

/** A saved tensor. */
export interface Saved {
  /** The tensor, valid while the node keeps it, connected to the graph at `node`. */
  borrow(node: GraphNode | null): Tensor;
}

/**
 * A storage that native code pins for a graph node, with dtype, shape and strides. Not a Tensor: the garbage collector
 * does not track the buffer, so a long graph does not fill the old generation.
 */
export class Packed implements frame.Slot, Saved {
  readonly slot: number;
  readonly generation: number;
  readonly version: number;
  readonly type: DTypeRow;
  readonly shape: Shape;
  readonly layout: readonly number[] | null;
  readonly offset: number;

  /** Describes operand `index` of the call in the frame, which has pinned it; a version of -1 is not checked. */
  constructor(
    index: number,
    type: DTypeRow,
    shape: Shape,
    layout: readonly number[] | null,
    offset: number,
    version: number = frame.versionAt(index),
  ) {
    this.slot = frame.slotAt(index);
    this.generation = frame.generationAt(index);
    this.version = version;
    this.type = type;
    this.shape = shape;
    this.layout = layout;
    this.offset = offset;
  }

  /** A tensor on the pinned storage, valid while its node keeps it. */
  borrow(node: GraphNode | null): Tensor {
    const handle = new Handle();
    handle.slot = this.slot;
    handle.generation = this.generation;
    handle.version = this.version;
    handle.borrowed = true;
    return new Tensor(handle, this.type, this.shape, this.layout, this.offset, node);
  }
}

/** A tensor with its own handle on the storage of a borrowed one. */
export function own(borrowed: Tensor): Tensor {
  if (borrowed instanceof Batched) {
    const all = own(borrowed.value);
    return all === borrowed.value ? borrowed : new Batched(all, borrowed.level, borrowed.node);
  }
  if (!borrowed.handle.borrowed) return borrowed;
  const handle = new Handle();
  frame.begin(0, 0, 1, []);
  const { type, shape, layout, offset } = borrowed;
  frame.putOperand(0, borrowed.handle, type.code, shape, layout, offset, 0);
  frame.door.adopt(handle);
  if (frame.failed()) raise("backward");
  handle.take(0);
  return new Tensor(handle, type, shape, layout, offset, borrowed.node);
}

/** Any number of pinned tensors, a few for each tracked object. */
export class Pins {
  private readonly watched: { id: number; generation: number }[] = [];
  private readonly packed = new Map<Tensor, Packed>();

  constructor(tensors: readonly Tensor[]) {
    const bases = [...new Set(tensors.map(unwrapBatched))];
    for (let i = 0; i < bases.length; i += frame.maxSaved) this.take(bases.slice(i, i + frame.maxSaved));
  }

  private take(bases: readonly Tensor[]): void {
    const object = { id: -1, generation: 0 };
    frame.begin(0, 0, bases.length, []);
    bases.forEach((x, i) => {
      frame.putOperand(i, x.handle, x.type.code, x.shape, x.layout, x.offset, 0);
    });
    frame.door.save(object);
    if (frame.failed()) raise("save");
    object.id = frame.nodeId();
    object.generation = frame.nodeGeneration();
    this.watched.push(object);
    bases.forEach((x, i) => {
      this.packed.set(x, new Packed(i, x.type, x.shape, x.layout, x.offset));
    });
  }

  /** The saved form of one of the tensors. A batched value below it stays connected to the graph outside of vmap. */
  of(x: Tensor): Saved {
    if (!(x instanceof Batched)) return this.packed.get(x)!;
    const { level } = x;
    const below = x.value.node;
    const all = this.of(x.value);
    return { borrow: (node) => new Batched(all.borrow(below), level, node) };
  }

  release(): void {
    for (const { id, generation } of this.watched) frame.releaseNode(id, generation);
  }
}
