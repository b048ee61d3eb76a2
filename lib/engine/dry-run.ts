/** Runs ops without computing: native calls are recorded, and their results have a dtype and shape but no elements. */
import { synchronous } from "../core/arguments.js";
import { type DTypeRow, dtypes } from "../core/dtype.js";
import { numel, type Shape } from "../core/shape.js";
import { type Door, eager, standIn } from "../native/door.js";
import { kernelNames } from "../native/frame.js";
import {
  answerAdopt,
  answerCall,
  answerSave,
  type FrameCall,
  type FrameOperand,
  isVirtual,
  readCall,
  virtualSlot,
} from "../native/recording.js";
import { Handle } from "../tensor/handle.js";
import { Tensor } from "../tensor/tensor.js";
import type { Cost, RecordedCall, TensorSpec } from "./cost.js";
import { kernelFlops, type Operand, type Row } from "./row.js";

/** Thrown if a function reads the elements of a tensor that was not computed. */
export class ValuesNeeded extends Error {}

const typeOf = new Map(Object.values(dtypes).map((type) => [type.code, type]));
const kernels = kernelNames();

const needed = (): never => {
  throw new ValuesNeeded("the elements of a tensor decide what comes next");
};
/** A call that reads elements: runs if the tensor has elements. */
const reading =
  <A extends unknown[], R>(call: (...args: A) => R) =>
  (...args: A): R =>
    isVirtual() ? needed() : call(...args);

/** The bytes of an operand, counting each element once: fewer than its shape says if it is broadcast. */
function bytesOf({ shape, strides, dtype }: FrameOperand): number {
  return numel(strides === null ? shape : shape.filter((_, i) => strides[i] !== 0)) * typeOf.get(dtype)!.size;
}
const total = (operands: Iterable<FrameOperand>): number => {
  let bytes = 0;
  for (const x of operands) bytes += bytesOf(x);
  return bytes;
};

/** Operands of existing tensors, each once. */
const distinct = (operands: readonly FrameOperand[]): Iterable<FrameOperand> =>
  new Map(operands.map((x) => [`${x.slot} ${x.offset} ${x.shape} ${x.strides}`, x])).values();

const specOf = (operand: FrameOperand): TensorSpec => ({
  type: typeOf.get(operand.dtype)!,
  shape: operand.shape,
});

function recorded({ opcode, attrs, outs, ins }: FrameCall): RecordedCall {
  const kernel = kernels[opcode]!;
  const writes = outs.some((out) => !out.fresh);
  const inputs = ins.map((x) => (x.number ? null : specOf(x)));
  const call = { kernel, attrs, results: outs.map(specOf), inputs, writes };
  // Targets of in-place kernels are also read, except by `identity`, which overwrites them.
  const updated = writes && kernel !== "identity" ? outs : [];
  const cost: Cost = {
    flops: kernelFlops(kernel)(call),
    bytesRead: total(distinct([...ins.filter((x) => !x.number), ...updated])),
    bytesWritten: total(outs),
  };
  return { ...call, cost };
}

/** Records calls in `calls`. Existing tensors and data from JavaScript have elements; only results do not. */
function recorder(calls: RecordedCall[]): Door {
  const run = (): void => {
    calls.push(recorded(readCall()));
    answerCall();
  };
  return {
    ...eager,
    execute: run,
    run,
    save: answerSave,
    adopt: (handle) => (isVirtual() ? answerAdopt() : eager.adopt(handle)),
    read: reading(eager.read),
    item: reading(eager.item),
    share: reading(eager.share),
  };
}

/**
 * Runs f without computing anything, and lists the kernels that it would have run. Tensors made by f have dtypes and
 * shapes but no elements, and must not outlive the call, so f must not leave gradients in leaves or state in
 * optimizers.
 * @throws ValuesNeeded if f reads elements; ERR_ARGUMENT if it returns a promise.
 */
export function dryRun<T>(f: (calls: readonly RecordedCall[]) => T): {
  readonly value: T;
  readonly calls: RecordedCall[];
} {
  const calls: RecordedCall[] = [];
  return { value: standIn(recorder(calls), () => synchronous("dryRun", f(calls))), calls };
}

/** A tensor without elements, for {@link dryRun}. */
export function placeholder(type: DTypeRow, shape: Shape): Tensor {
  const handle = new Handle();
  Object.assign(handle, virtualSlot());
  return new Tensor(handle, type, shape, null, 0, null);
}

export const costOf = (calls: readonly RecordedCall[]): Cost => ({
  flops: calls.reduce((sum, { cost }) => sum + cost.flops, 0),
  bytesRead: calls.reduce((sum, { cost }) => sum + cost.bytesRead, 0),
  bytesWritten: calls.reduce((sum, { cost }) => sum + cost.bytesWritten, 0),
});

/** The description of a call by its row, without running it. */
export interface Answer {
  /** The result; if values decide its shape, the largest possible one. */
  readonly result: TensorSpec;
  readonly valuesDecide: boolean;
  /** The kernels that would run: one, after conversions or copies that its inputs need. */
  readonly calls: readonly RecordedCall[];
  readonly cost: Cost;
}

/** Describes a call of a row on inputs of these dtypes and shapes, or numbers. */
export function ask<P>(row: Row<P>, inputs: readonly (TensorSpec | number)[], params: P): Answer {
  const operands: Operand[] = inputs.map((x) => (typeof x === "number" ? x : placeholder(x.type, x.shape)));
  const calls: RecordedCall[] = [];
  try {
    const { type, shape } = standIn(recorder(calls), () => row.replay(operands, params));
    return { result: { type, shape }, valuesDecide: false, calls, cost: costOf(calls) };
  } catch (error) {
    if (!(error instanceof ValuesNeeded) || row.largest === undefined) throw error;
    const specs = inputs.filter((x): x is TensorSpec => typeof x !== "number");
    return {
      result: row.largest(specs, params),
      valuesDecide: true,
      calls,
      cost: costOf(calls),
    };
  }
}
