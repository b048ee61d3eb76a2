import { refuse } from "../core/arguments.js";
import type { DTypeRow } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { numel, type Shape, sameShape, showShape } from "../core/shape.js";
import * as frame from "../native/frame.js";
import { outlive, raise } from "../tensor/handle.js";
import { type GraphNode, Tensor } from "../tensor/tensor.js";
import { mode } from "./modes.js";
import type { Operand, Row } from "./row.js";
import type { Context } from "./rule.js";
import { own, Packed, Pins, type Saved } from "./saved.js";

/** Called with a gradient during backward; a returned tensor replaces it. */
export type GradientHook = (gradient: Tensor) => Tensor | undefined;

let made = 0;
/** The number of the newest node. Numbers increase, so a node's is larger than those of its inputs. */
export const newestNode = (): number => made;

/** What a running pass over the graph knows of a node; see autograd/topological-order.ts. */
export class Visit {
  /** The number of the pass. */
  readonly pass: number;
  /** What the pass around it knows, as a rule or a hook may start another one. */
  readonly outer: Visit;
  /** The gradient so far. */
  cotangent: Tensor | null = null;
  /** Whether the pass made it for this node alone, and may add to it in place. */
  summing = false;
  /** The number of nodes that use this one and are still to come. */
  dependents = 0;
  /** Whether the pass needs a gradient here. */
  needed = false;

  constructor(pass: number, outer: Visit | null) {
    this.pass = pass;
    this.outer = outer ?? this;
  }
}
/** Of a node that no pass visits. */
const idle = new Visit(0, null);

abstract class Numbered {
  readonly serial: number = ++made;
  visit: Visit = idle;
  hooks: GradientHook[] | null = null;
}

/** An input of a node: a tensor, or a description of one. */
export type Input = { readonly node: GraphNode | null; readonly shape: Shape; readonly type: DTypeRow } | number;

/** Which inputs a gradient can reach, as a bit mask (the first 30 count one by one). */
export function tracked(inputs: readonly Operand[]): number {
  let needs = 0;
  for (let i = 0; i < inputs.length; i++) {
    const x = inputs[i]!;
    if (typeof x !== "number" && x.node !== null) needs |= 1 << Math.min(i, 30);
  }
  return needs;
}

/** Constants of at most this many elements are kept, so that graphs can be drawn with values. */
const CONSTANT = 64;

/** One recorded op. */
export class OpNode extends Numbered implements GraphNode, Context {
  readonly leaf = false;
  readonly row: Row;
  readonly inputs: readonly (Node | null)[];
  readonly params: unknown;
  readonly shape: Shape;
  readonly type: DTypeRow;
  readonly inputShapes: readonly Shape[];
  readonly inputTypes: readonly DTypeRow[];
  /** By position: the output, then the inputs, then the residual output. */
  saved: (Saved | number | null)[] | null = null;
  /** A bit mask of the positions of constants kept for drawing. */
  constants = 0;
  /** Set once a backward has freed the saved values. */
  freed = false;
  /** Whether retainGrad() asked for the gradient. */
  retains = false;
  /** The gradient kept for retainGrad(). */
  kept: Tensor | null = null;
  private id = -1;
  private generation = 0;
  private pins: Pins | null = null;

  constructor(row: Row, inputs: readonly Input[], params: unknown, shape: Shape, type: DTypeRow, scalar: DTypeRow) {
    super();
    const n = inputs.length;
    const nodes = new Array<Node | null>(n);
    const shapes = new Array<Shape>(n);
    const types = new Array<DTypeRow>(n);
    for (let i = 0; i < n; i++) {
      const x = inputs[i]!;
      const number = typeof x === "number";
      nodes[i] = number ? null : (x.node as Node | null);
      shapes[i] = number ? rankZero : x.shape;
      types[i] = number ? scalar : x.type;
    }
    this.row = row;
    this.inputs = nodes;
    this.params = params;
    this.shape = shape;
    this.type = type;
    this.inputShapes = shapes;
    this.inputTypes = types;
  }

  /** A bit mask of the positions of small inputs that do not require grad, among the first `room`. */
  static constantPlaces(inputs: readonly Operand[], room: number): number {
    let mask = 0;
    for (let i = 0; i < inputs.length && i < room; i++) {
      const x = inputs[i]!;
      if (typeof x !== "number" && x.node === null && numel(x.shape) <= CONSTANT) mask |= 2 << i;
    }
    return mask;
  }

  /** Takes over the operands in `mask` that the call in the frame has pinned, and its residual output. */
  keep(inputs: readonly Operand[], mask: number, constants: number, pinned: boolean, residual: Shape | null): void {
    const saved: (Saved | number | null)[] = [mask & 1 ? new Packed(0, this.type, this.shape, null, 0) : null];
    const outs = residual === null ? 1 : 2;
    for (let i = 0; i < inputs.length; i++) {
      const x = inputs[i]!;
      if (typeof x === "number") saved.push(x);
      else saved.push(mask & (2 << i) ? new Packed(i + outs, x.type, x.shape, x.layout, x.offset) : null);
    }
    if (residual !== null) saved.push(new Packed(1, this.type.compute, residual, null, 0));
    this.saved = saved;
    this.constants = constants;
    if (pinned) {
      this.id = frame.nodeId();
      this.generation = frame.nodeGeneration();
    }
  }

  /** Saves the values of a call that did not run as one kernel, by position. */
  pin(values: readonly (Operand | null)[]): void {
    const pins = new Pins(values.filter((x) => x instanceof Tensor));
    this.pins = pins;
    this.saved = values.map((x) => (x instanceof Tensor ? pins.of(x) : x));
  }

  /** Whether the call ran as one kernel: not inside vmap. */
  get native(): boolean {
    return this.pins === null;
  }

  /** A saved operand for the rule; with `linked`, connected to the graph so that the rule is differentiable too. */
  unpack(place: number, linked: boolean): Operand {
    const value = this.saved?.[place];
    if (value === undefined || value === null)
      fail("ERR_GRADIENT", this.row.name, "the rule reads a value that was not saved");
    if (typeof value === "number") return value;
    return value.borrow(!linked ? null : place === 0 ? this : (this.inputs[place - 1] ?? null));
  }

  residual(): Tensor | null {
    const place = this.inputs.length + 1;
    return this.saved?.[place] ? (this.unpack(place, false) as Tensor) : null;
  }

  takeResidual(): Tensor | null {
    const taken = mode.takesResiduals ? this.residual() : null;
    if (taken !== null) this.saved![this.inputs.length + 1] = null;
    return taken;
  }

  /** Frees the saved values, except small constants. */
  release(): void {
    this.freed = true;
    if (this.pins !== null) {
      this.pins.release();
      this.pins = null;
      this.saved = null;
    }
    const { saved } = this;
    if (this.id < 0 || saved === null) return;
    let count = 0;
    const kept: number[] = [];
    for (let place = 0; place < saved.length; place++) {
      const value = saved[place];
      if (value === null || typeof value === "number") continue;
      if (this.constants & (1 << place)) kept.push(place);
      else {
        saved[place] = null;
        count++;
      }
    }
    if (count === 0) return;
    if (kept.length === 0) {
      frame.releaseNode(this.id, this.generation);
      this.id = -1;
      return;
    }
    frame.begin(0, 0, kept.length, []);
    kept.forEach((place, i) => {
      const p = saved[place] as Packed;
      frame.putOperand(i, p, p.type.code, p.shape, p.layout, p.offset, 0);
    });
    frame.nameNode(this.id, this.generation);
    frame.door.save();
  }

  gradient(): Tensor | null {
    return this.kept;
  }
  setGradient(value: Tensor | null): void {
    if (value !== null) outlive(value.handle);
    this.kept = value;
  }
}

/** A tensor that accumulates a gradient. Node and tensor reference each other. */
export class LeafNode extends Numbered implements GraphNode {
  readonly leaf = true;
  readonly inputs: readonly (Node | null)[] = none;
  readonly tensor: Tensor;
  /** Whether it is the variable of a transform that has ended, whose gradient is not needed. */
  closed = false;
  /** The gradient as a tensor the user has seen or set, or that is itself part of a graph. */
  private tensorGradient: Tensor | null = null;
  /** The gradient pinned by native code: no handle, so its storage is reusable as soon as it is cleared. */
  private packed: Packed | null = null;
  private id = -1;
  private generation = 0;

  constructor(tensor: Tensor) {
    super();
    this.tensor = tensor;
  }
  get shape(): Shape {
    return this.tensor.shape;
  }
  get type(): DTypeRow {
    return this.tensor.type;
  }

  /** The gradient for internal use: a borrowed tensor, the user's own, or null. */
  peek(): Tensor | null {
    return this.tensorGradient ?? this.packed?.borrow(null) ?? null;
  }

  gradient(): Tensor | null {
    if (this.tensorGradient === null && this.packed !== null) {
      this.tensorGradient = own(this.packed.borrow(null));
      outlive(this.tensorGradient.handle);
    }
    return this.tensorGradient;
  }

  setGradient(value: Tensor | null): void {
    if (value !== null) {
      if (!(value instanceof Tensor)) refuse("grad", "a gradient", "a tensor or null", value);
      if (!sameShape(value.shape, this.shape))
        fail("ERR_SHAPE", "grad", "the gradient's shape differs", showShape(this.shape), showShape(value.shape));
      if (value.type !== this.type)
        fail("ERR_DTYPE", "grad", "the gradient's dtype differs", this.type.name, value.dtype);
      outlive(value.handle);
    }
    if (this.packed !== null) {
      this.packed = null;
      frame.releasePins(this.id, this.generation);
    }
    this.tensorGradient = value;
  }

  /** Keeps a contiguous gradient that nothing else writes to, without a handle. */
  store(g: Tensor): void {
    this.tensorGradient = null;
    frame.begin(0, 0, 1, noAttrs);
    frame.putOperand(0, g.handle, g.type.code, g.shape, null, g.offset, 0);
    if (this.id < 0) {
      frame.door.save(this);
      this.id = frame.nodeId();
      this.generation = frame.nodeGeneration();
    } else {
      frame.nameNode(this.id, this.generation);
      frame.door.save();
    }
    if (frame.failed()) raise("backward");
    // Users may write to the gradient (by clipping, say), so its version is not checked.
    this.packed = new Packed(0, g.type, g.shape, null, g.offset, -1);
  }
}

export type Node = OpNode | LeafNode;

const none: readonly never[] = [];
const noAttrs: readonly number[] = [];
const rankZero: Shape = [];
