/**
 * The call frame: a block of shared memory in which a call is written as numbers. The add-on gives the offsets at load;
 * native code copies the frame and checks the copy, so no content can make it access foreign memory.
 */
import { dtypes } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { type Shape, setMaxRank } from "../core/shape.js";
import type { Addon } from "./addon.js";
import { type Door, door } from "./door.js";
import { addon } from "./load.js";

const layout = addon.layout();
for (const type of Object.values(dtypes)) {
  type.code = layout.dtypes[type.name]!;
  type.attrs = [type.code];
}
setMaxRank(layout.maxRank);

export const header = layout.header as Record<
  | "code"
  | "operand"
  | "detail"
  | "detailHigh"
  | "pressure"
  | "opcode"
  | "outs"
  | "ins"
  | "attrs"
  | "hasNode"
  | "releases"
  | "node"
  | "nodeGeneration",
  number
>;
export const flags = layout.flags as Record<
  "contiguous" | "scalar" | "fresh" | "save" | "write" | "expect" | "block",
  number
>;

const CODE = header.code;
const OPERAND = header.operand;
const DETAIL = header.detail;
const DETAIL_HIGH = header.detailHigh;
const PRESSURE = header.pressure;
const OPCODE = header.opcode;
const OUTS = header.outs;
const INS = header.ins;
const ATTRS = header.attrs;
const HAS_NODE = header.hasNode;
const RELEASES = header.releases;
const NODE = header.node;
const NODE_GENERATION = header.nodeGeneration;
const CONTIGUOUS = flags.contiguous;
const SCALAR = flags.scalar;
const FRESH = flags.fresh;
const EXPECT = flags.expect;
const BLOCK = flags.block;
const BASE = layout.operandBase;
const INTS = layout.operandInts;
const RELEASE_BASE = layout.releaseBase;
const RELEASE_CAPACITY = layout.releaseCapacity;

export const SAVE = flags.save;
export const WRITE = flags.write;
export const { maxSaved, blockSlots, blockBytes } = layout;

/**
 * The maximum number of operands of a call: an optimizer step takes four per parameter. The memory is reserved but not
 * committed until it is used; as the arrays never change, compiled code knows their addresses.
 */
const MOST_OPERANDS = 65_536;
const MOST_NUMBERS = 12 * MOST_OPERANDS;
const { ints, doubles } = frameOf(BASE + INTS * MOST_OPERANDS, MOST_NUMBERS);
let cursor = 0;

/** There is one frame per thread: if these files are loaded twice, both use the first one. */
function frameOf(size: number, numbers: number): { readonly ints: Int32Array; readonly doubles: Float64Array } {
  const key = Symbol.for("nabla.frame");
  const held = Reflect.get(addon, key) as ReturnType<typeof frameOf> | undefined;
  if (held !== undefined) {
    if (held.ints.length === size && held.doubles.length === numbers) return held;
    fail("ERR_NATIVE", "import", "another version of nabla has loaded the same native binary");
  }
  const own = {
    ints: new Int32Array(new SharedArrayBuffer(4 * size)),
    doubles: new Float64Array(new SharedArrayBuffer(8 * numbers)),
  };
  addon.setFrame(own.ints, own.doubles);
  Object.defineProperty(addon, key, { value: own });
  return own;
}

/** The number of tensors of any rank that fit into a call: 23,130. An op on more is split into several calls. */
export const mostTensors = Math.floor(MOST_NUMBERS / (2 * layout.maxRank + 2));

/** A storage in the native table. `version` >= 0 requires that nothing has been written to it since. */
export interface Slot {
  slot: number;
  generation: number;
  version: number;
}

export function opcode(name: string): number {
  const code = layout.opcodes[name];
  if (code === undefined) throw new Error(`no native kernel is called ${name}`);
  return code;
}
export const kernelNames = (): string[] => Object.keys(layout.opcodes);

export function begin(code: number, outs: number, ins: number, attrs: readonly number[]): void {
  ints[OPCODE] = code;
  ints[OUTS] = outs;
  ints[INS] = ins;
  ints[ATTRS] = attrs.length;
  ints[HAS_NODE] = 0;
  cursor = attrs.length;
  for (let i = 0; i < cursor; i++) doubles[i] = attrs[i]!;
}

export function putFresh(index: number, dtype: number, shape: Shape, extra: number): void {
  const at = BASE + INTS * index;
  const rank = shape.length;
  ints[at + 2] = dtype;
  ints[at + 3] = rank;
  ints[at + 4] = FRESH | extra;
  const start = cursor;
  for (let i = 0; i < rank; i++) doubles[start + i] = shape[i]!;
  cursor = start + rank;
}

/** A small new result, tracked by a block instead of its own handle. */
export function putFreshInBlock(index: number, dtype: number, shape: Shape, extra: number, block: number): void {
  putFresh(index, dtype, shape, extra | BLOCK);
  ints[BASE + INTS * index + 6] = block;
}

export function putOperand(
  index: number,
  handle: Slot,
  dtype: number,
  shape: Shape,
  strides: readonly number[] | null,
  offset: number,
  extra: number,
): void {
  const at = BASE + INTS * index;
  const rank = shape.length;
  ints[at] = handle.slot;
  ints[at + 1] = handle.generation;
  ints[at + 2] = dtype;
  ints[at + 3] = rank;
  let bits = extra;
  if (handle.version >= 0) {
    bits |= EXPECT;
    ints[at + 5] = handle.version;
  }
  let next = cursor;
  doubles[next++] = offset;
  for (let i = 0; i < rank; i++) doubles[next++] = shape[i]!;
  if (strides === null) bits |= CONTIGUOUS;
  else for (let i = 0; i < rank; i++) doubles[next++] = strides[i]!;
  cursor = next;
  ints[at + 4] = bits;
}

/** The caller has checked that the integer dtype holds the value; native code refuses others. */
export function putScalar(index: number, dtype: number, value: number | bigint): void {
  const at = BASE + INTS * index;
  ints[at + 2] = dtype;
  ints[at + 3] = 0;
  ints[at + 4] = SCALAR;
  if (dtype === dtypes.int64.code) {
    const integer = BigInt(value);
    doubles[cursor] = Number(integer >> 32n);
    doubles[cursor + 1] = Number(integer & 0xffffffffn);
  } else {
    doubles[cursor] = Number(value);
    doubles[cursor + 1] = 0;
  }
  cursor += 2;
}

/** Marks the call as recorded: its saved operands are pinned to the node passed to execute. */
export function withNode(): void {
  ints[HAS_NODE] = 1;
}

export const failed = (): boolean => ints[CODE] !== 0;

/** What a call has answered. The detail is an integer or the bits of a double, as the kernel says. */
export interface Status {
  readonly code: number;
  readonly operand: number;
  readonly detail: bigint;
}
export const status = (): Status => ({
  code: ints[CODE]!,
  operand: ints[OPERAND]!,
  detail: (BigInt(ints[DETAIL_HIGH]!) << 32n) | BigInt(ints[DETAIL]! >>> 0),
});
/** The double whose bits are a status's detail. */
export const realOf = (detail: bigint): number => new Float64Array(BigInt64Array.of(detail).buffer)[0]!;
export const underPressure = (): boolean => ints[PRESSURE] !== 0;

export const slotAt = (index: number): number => ints[BASE + INTS * index]!;
export const generationAt = (index: number): number => ints[BASE + INTS * index + 1]!;
export const versionAt = (index: number): number => ints[BASE + INTS * index + 5]!;
export const nodeId = (): number => ints[NODE]!;
export const nodeGeneration = (): number => ints[NODE_GENERATION]!;

export function nameNode(id: number, generation: number): void {
  ints[NODE] = id;
  ints[NODE_GENERATION] = generation;
}

function pushRelease(slot: number, generation: number): void {
  if (ints[RELEASES] === RELEASE_CAPACITY) addon.flush();
  const at = RELEASE_BASE + 2 * ints[RELEASES]!++;
  ints[at] = slot;
  ints[at + 1] = generation;
}

/** Disposes of a handle, with effect at the next native call. A stale one is ignored. */
export const releaseSlot = (slot: number, generation: number): void => pushRelease(slot, generation);
/** Releases what a graph node pins. */
export const releaseNode = (id: number, generation: number): void => pushRelease(-1 - id, generation);

/** Releases what a graph node pins, and keeps the node. */
export const releasePins = (id: number, generation: number): void => pushRelease(-1 - id, -generation);

/** @internal For the reader of recorded calls, and tests that write frames by hand. */
export const rawFrame = (): { ints: Int32Array; doubles: Float64Array } => ({ ints, doubles });

/** Functions of the add-on that do not go through the door: no calls on tensors. */
const services: Omit<Addon, keyof Door> = addon;

export { door, layout, services as addon };
