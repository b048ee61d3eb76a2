import { type ErrorCode, fail, NablaError, startAtUser } from "../core/errors.js";
import * as frame from "../native/frame.js";
import { reclaimUntil } from "./memory.js";

/**
 * Several small results share one object that native code watches: a weak reference for each would cost more than the op.
 * A handle keeps its block alive, so that when the block is gone, all its handles are.
 */
class Block {
  id = -1;
  left = frame.blockSlots;
}
let current: Block | null = null;

function newBlock(op: string): Block {
  const block = new Block();
  const watch = () => {
    block.id = frame.door.block(block);
  };
  watch();
  if (frame.failed()) retryWhenOutOfMemory(watch);
  if (frame.failed()) raise(op);
  return block;
}

/** The block that watches the next small result. */
export function nextBlock(op: string): Block {
  if (current === null || current.left === 0) current = newBlock(op);
  current.left--;
  return current;
}

let made: Handle[] | null = null;

/** Has the handles that are made from now on collected in a list, or in none; returns the list in use before. */
export function collectHandles(into: Handle[] | null): Handle[] | null {
  const before = made;
  made = into;
  return before;
}

const lasting = new WeakSet<Handle>();

/** Marks what something that outlives the running scope holds on to: a leaf's gradient, an optimizer's state. */
export function outlive(handle: Handle): void {
  if (made !== null) lasting.add(handle);
}
export const outlives = (handle: Handle): boolean => lasting.has(handle);

/**
 * A JavaScript thread's claim on a storage. The native table watches it through a weak reference: when the last tensor
 * that shares it is gone, the next reclaim frees the storage. Nothing needs to be disposed of.
 */
export class Handle implements frame.Slot {
  slot = -1;
  generation = 0;
  /** The version a saved value must still have when it is used, or -1. */
  version = -1;
  /** How many tensors share this handle and have not been disposed of. */
  users = 1;
  /** How many nodes a running sweep has it for; with none left, the sweep gives it back, unless it is `kept`. */
  pending = 0;
  kept = false;
  /** A running sweep made it for one node, and may add to it in place. */
  summing = false;
  /** Not watched: it borrows what a graph node pins and is good only while that node keeps its pins. */
  borrowed = false;
  /** Kept alive for the native table's sake. */
  block: Block | null = null;

  constructor() {
    if (made !== null) made.push(this);
  }

  /** Takes the slot that the native call wrote back for operand `index`. */
  take(index: number): void {
    this.slot = frame.slotAt(index);
    this.generation = frame.generationAt(index);
  }

  release(): void {
    if (this.slot >= 0 && !this.borrowed) frame.releaseSlot(this.slot, this.generation);
    this.slot = -1;
  }
}

/** Turns the frame's status into an error that names the op. */
export function raise(
  op: string,
  note?: (operand: number, detail: number) => string | undefined,
  expected?: string,
): never {
  const { code, operand, detail } = frame.status();
  const name = (frame.layout.codes[code] ?? "ERR_NATIVE") as ErrorCode;
  if (name === "ERR_MEMORY") outOfMemory(op);
  const message = note?.(operand, detail) ?? frame.addon.message();
  const got = name === "ERR_INDEX" ? String(detail) : undefined;
  fail(name, op, message, got === undefined ? undefined : expected, got, { operand, detail });
}

/** ERR_MEMORY that names the largest tensors. */
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

/** Runs the call in the frame again when memory is out, after reclaiming what is dead. */
export function retryWhenOutOfMemory(run: () => void): void {
  if (frame.status().code !== memoryCode) return;
  reclaimUntil(() => {
    run();
    return frame.status().code !== memoryCode;
  });
}
