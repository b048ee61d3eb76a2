/** For doors that record calls: reads the call in the frame, and answers it without running it. */
import type { Shape } from "../core/shape.js";
import { flags, header, layout, nameNode, rawFrame, type Slot, slotAt } from "./frame.js";

const { ints, doubles } = rawFrame();
const { operandBase, operandInts } = layout;

/** An operand of the call in the frame. */
export interface FrameOperand {
  /** The storage; meaningless for numbers and new results. */
  readonly slot: number;
  /** The dtype's code. */
  readonly dtype: number;
  readonly shape: Shape;
  /** The strides; null if contiguous. */
  readonly strides: readonly number[] | null;
  readonly offset: number;
  readonly number: boolean;
  readonly fresh: boolean;
}
export interface FrameCall {
  readonly opcode: number;
  readonly attrs: readonly number[];
  readonly outs: readonly FrameOperand[];
  readonly ins: readonly FrameOperand[];
}

/** Reads back the call in the frame. */
export function readCall(): FrameCall {
  let at = 0;
  const numbers = (count: number): number[] => {
    const list = Array.from(doubles.subarray(at, at + count));
    at += count;
    return list;
  };
  const operand = (index: number): FrameOperand => {
    const base = operandBase + operandInts * index;
    const [slot, dtype, rank, bits] = [ints[base]!, ints[base + 2]!, ints[base + 3]!, ints[base + 4]!];
    const [number, fresh] = [(bits & flags.scalar) !== 0, (bits & flags.fresh) !== 0];
    if (number) numbers(2);
    const offset = number || fresh ? 0 : numbers(1)[0]!;
    const shape = number ? [] : numbers(rank);
    const strides = number || fresh || (bits & flags.contiguous) !== 0 ? null : numbers(rank);
    return { slot, dtype, shape, strides, offset, number, fresh };
  };
  const [outs, ins] = [ints[header.outs]!, ints[header.ins]!];
  const attrs = numbers(ints[header.attrs]!);
  const all = Array.from({ length: outs + ins }, (_, i) => operand(i));
  return { opcode: ints[header.opcode]!, attrs, outs: all.slice(0, outs), ins: all.slice(outs) };
}

/** Slots from here on are virtual: they stand for storages that were not allocated, and native calls refuse them. */
const VIRTUAL = 2 ** 30;
const GENERATION = -1;
let named = 0;

/** A virtual storage of its own. */
export const virtualSlot = (): Slot => ({ slot: VIRTUAL + named++, generation: GENERATION, version: -1 });

/** Whether the first operand of the call in the frame is on a virtual storage. */
export const isVirtual = (): boolean => slotAt(0) >= VIRTUAL;

function answerOperand(index: number): void {
  const { slot, generation } = virtualSlot();
  const base = operandBase + operandInts * index;
  ints[base] = slot;
  ints[base + 1] = generation;
}

function answerNode(): void {
  const { slot, generation } = virtualSlot();
  nameNode(slot, generation);
}

/** Of a saved operand no version is expected. */
function answerSaved(index: number): void {
  ints[operandBase + operandInts * index + 5] = -1;
}

/** Answers the call in the frame, with virtual storages for new results. */
export function answerCall(): void {
  for (let i = 0; i < ints[header.outs]! + ints[header.ins]!; i++) {
    const bits = ints[operandBase + operandInts * i + 4]!;
    if ((bits & flags.fresh) !== 0) answerOperand(i);
    if ((bits & flags.save) !== 0) answerSaved(i);
  }
  if (ints[header.hasNode] !== 0) answerNode();
  ints[header.code] = 0;
}

/** The same for calls that pin operands to a node. */
export function answerSave(): void {
  for (let i = 0; i < ints[header.ins]!; i++) answerSaved(i);
  answerNode();
  ints[header.code] = 0;
}

/** The same for another handle on the only operand. */
export function answerAdopt(): void {
  answerOperand(0);
  ints[header.code] = 0;
}
