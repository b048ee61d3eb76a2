import { type ErrorCode, fail, NablaError, startAtUser } from "../core/errors.js";
import * as frame from "../native/frame.js";
import { reclaimStage } from "./memory.js";

/**
 * Sixteen small results share one weak reference, as one for each would cost more than the op. A handle keeps its block
 * alive, so when the block is collected, all its handles are.
 */
class Block {
  id = -1;
  left = frame.blockSlots;
}
let current: Block | null = null;

function newBlock(op: string): Block {
  const block = new Block();
  block.id = frame.door.block(block);
  for (let i = 0; mayRetry(i); i++) block.id = frame.door.block(block);
  if (frame.failed()) raise(op);
  return block;
}

/** The block for the next small result. */
export function nextBlock(op: string): Block {
  if (current === null || current.left === 0) current = newBlock(op);
  current.left--;
  return current;
}

let made: Handle[] | null = null;

/** Handles created from now on are collected in an array, or (null) not at all; returns the previous array. */
export function collectHandles(into: Handle[] | null): Handle[] | null {
  const before = made;
  made = into;
  return before;
}

const lasting = new WeakSet<Handle>();

/** Excludes a handle from the running scope: a leaf's gradient, or an optimizer's state. */
export function outlive(handle: Handle): void {
  if (made !== null) lasting.add(handle);
}
export const outlives = (handle: Handle): boolean => lasting.has(handle);

/**
 * A JavaScript thread's reference to a storage. The native table tracks it by a weak reference: once the last tensor
 * that shares it is collected, the next reclaim frees the storage. Nothing needs to be disposed of.
 */
export class Handle implements frame.Slot {
  slot = -1;
  generation = 0;
  /** The version that the storage must have when a saved value is used, or -1. */
  version = -1;
  /** The number of tensors that share this handle and are not disposed of. */
  users = 1;
  /** The number of nodes that need it as a derivative, in all running passes; at 0 it is released, unless `kept`. */
  holders = 0;
  /** The user can reach it, so only the garbage collector decides when it is released. */
  kept = false;
  /** Not tracked: it borrows a storage that a graph node pins, and is valid only while that node keeps its pins. */
  borrowed = false;
  /** Keeps the block alive for the native table. */
  block: Block | null = null;

  constructor() {
    if (made !== null) made.push(this);
  }

  /** Reads the slot that the native call wrote for operand `index`. */
  take(index: number): void {
    this.slot = frame.slotAt(index);
    this.generation = frame.generationAt(index);
  }

  release(): void {
    if (this.slot >= 0 && !this.borrowed) frame.releaseSlot(this.slot, this.generation);
    this.slot = -1;
  }
}

/** The parts of an error for a value that a kernel refused; missing ones are those of the status. */
export interface Refusal {
  readonly code?: ErrorCode;
  readonly fact?: string;
  readonly expected: string;
  /** Default for ERR_INDEX: the detail of the status. */
  readonly got?: string;
}

/** Throws the frame's status as an error that names the op. */
export function raise(op: string, note?: (detail: number) => string | undefined, refusal?: Refusal): never {
  const { code, operand, detail } = frame.status();
  const name = refusal?.code ?? ((frame.layout.codes[code] ?? "ERR_NATIVE") as ErrorCode);
  if (name === "ERR_MEMORY") outOfMemory(op);
  const message = refusal?.fact ?? note?.(Number(detail)) ?? frame.addon.message();
  const got = refusal?.got ?? (name === "ERR_INDEX" ? String(detail) : undefined);
  const details = refusal?.got === undefined ? { operand, detail: Number(detail) } : { operand };
  fail(name, op, message, got === undefined ? undefined : refusal?.expected, got, details);
}

/** ERR_MEMORY, naming the largest tensors. */
export function outOfMemory(op: string): never {
  const { liveBytes } = frame.addon.stats();
  const megabytes = (liveBytes / 1e6).toFixed(1);
  const message = `${op}: out of memory; ${megabytes} MB are live, the largest tensors are ${frame.addon.largest()}`;
  const error = new NablaError("ERR_MEMORY", op, message, { liveBytes });
  Error.captureStackTrace(error, raise);
  startAtUser(error);
  throw error;
}

const memoryCode = frame.layout.codes.indexOf("ERR_MEMORY");

/**
 * Whether a call failed for want of memory and may be repeated, after the i-th stage of reclaiming: `for (let i = 0;
 * mayRetry(i); i++)`. Make the handle of the result, and the node that saves it, anew each time, and keep them in local
 * variables that no closure captures: a major collection promotes them, or the closure's context, and then no minor
 * collection could free the result, so that the next call would need a major one again.
 */
export const mayRetry = (i: number): boolean => frame.failed() && frame.status().code === memoryCode && reclaimStage(i);
