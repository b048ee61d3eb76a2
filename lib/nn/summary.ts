import { refuse, synchronous } from "../core/arguments.js";
import { describe } from "../core/errors.js";
import { numel } from "../core/shape.js";
import { byteText, grouped, table } from "../core/words.js";
import type { RecordedCall } from "../engine/cost.js";
import { costOf, dryRun, ValuesNeeded } from "../engine/dry-run.js";
import { Tensor } from "../tensor/tensor.js";
import { inference } from "./inference.js";
import { Module } from "./module.js";
import { Buffer, Parameter } from "./parameter.js";
import { held } from "./walk.js";

/**
 * A table of a model's modules: path, class, the parameters and buffers of each with their shapes, and the number of
 * parameters; below it the totals, without duplicates. With inputs, two more columns show the output shape of each
 * module's last call, and the floating-point operations of all its calls (a multiply-add counts 2). They are derived
 * from the shapes of the inputs, without running the model. If a shape depends on values, the model runs as in {@link
 * inference}, and the operations are omitted.
 * @param inputs what the model's `forward` takes.
 * @throws ERR_ARGUMENT unless the argument is a module; whatever `forward` throws.
 * @example
 * summary(new nn.Sequential(new nn.Linear(2, 16), new nn.Tanh(), new nn.Linear(16, 1)), zeros([8, 2]));
 * // module  class       parameters                count  output   FLOPs
 * //         Sequential                                   [8, 1]   1,032
 * // 0       Linear      weight [16, 2] bias [16]     48  [8, 16]    640
 * // 1       Tanh                                         [8, 16]    128
 * // 2       Linear      weight [1, 16] bias [1]      17  [8, 1]     264
 * // 65 parameters, 65 of them trained; 260 B
 */
export function summary(model: Module, ...inputs: unknown[]): string {
  if (!(model instanceof Module)) refuse("summary", "the model", "a module", model);
  const modules = model.namedModules();
  const traced = inputs.length > 0 ? traceOf(model, inputs) : null;
  const columns = traced === null ? [] : traced.counted ? ["output", "FLOPs"] : ["output"];
  const rows = modules.map(([path, module]) => {
    const own = [...held(module)].filter(isState);
    const count = size(own.map(([, tensor]) => tensor).filter(isParameter));
    const state = own.map(([name, tensor]) => `${name} ${shown(tensor)}`).join(" ");
    const found = traced?.of.get(module);
    const seen = found ? [found.output, found.flops === 0 ? "" : largeText(found.flops)] : ["", ""];
    return [path, module.constructor.name, state, count ? grouped(count) : "", ...seen.slice(0, columns.length)];
  });
  const lines = table([["module", "class", "parameters", "count", ...columns], ...rows], (i) => i === 3 || i === 5);
  return [...lines, totals(model)].join("\n");
}

type State = Parameter | Buffer;
const isParameter = (tensor: State): tensor is Parameter => tensor instanceof Parameter;
const isState = (entry: [string, unknown]): entry is [string, State] =>
  entry[1] instanceof Parameter || entry[1] instanceof Buffer;
const shown = (tensor: Tensor): string => `[${tensor.shape.join(", ")}]`;
const size = (tensors: readonly Tensor[]): number => tensors.reduce((sum, { shape }) => sum + numel(shape), 0);

interface Traced {
  /** The output of each module as text, and the floating-point operations of all its calls. */
  readonly of: Map<Module, { output: string; flops: number }>;
  /** Whether operations were counted. */
  readonly counted: boolean;
}

/** The output shape and cost of each module, without running the model if shapes suffice. */
function traceOf(model: Module, inputs: readonly unknown[]): Traced {
  try {
    return { of: dryRun((calls) => outputsOf(model, inputs, calls)).value, counted: true };
  } catch (error) {
    if (!(error instanceof ValuesNeeded)) throw error;
    return { of: outputsOf(model, inputs, []), counted: false };
  }
}

function outputsOf(model: Module, inputs: readonly unknown[], calls: readonly RecordedCall[]): Traced["of"] {
  const found: Traced["of"] = new Map();
  const starts: number[] = [];
  const removers = model.modules().flatMap((module) => [
    module.registerForwardPreHook(() => {
      starts.push(calls.length);
    }),
    module.registerForwardHook((_module, _inputs, output: unknown) => {
      const { flops } = costOf(calls.slice(starts.pop()));
      found.set(module, { output: outputText(output), flops: flops + (found.get(module)?.flops ?? 0) });
    }),
  ]);
  try {
    const forward = model.forward as (...given: unknown[]) => unknown;
    inference(model, () => void synchronous("summary", forward.call(model, ...inputs)));
  } finally {
    for (const remove of removers) remove();
  }
  return found;
}

function outputText(output: unknown): string {
  if (output instanceof Tensor) return shown(output);
  if (typeof output !== "object" || output === null) return describe(output);
  const parts = output instanceof Map || output instanceof Set ? [...output.values()] : Object.values(output);
  return parts.map(outputText).join(" ");
}

const THOUSANDS = ["", " K", " M", " G", " T", " P"];

/** In full up to a million, larger numbers with four digits. */
function largeText(count: number): string {
  if (count < 1e6) return grouped(count);
  const unit = Math.min(Math.floor(Math.log10(count) / 3), THOUSANDS.length - 1);
  return `${Number((count / 1000 ** unit).toPrecision(4))}${THOUSANDS[unit]}`;
}

function totals(model: Module): string {
  const [parameters, buffers] = [model.parameters(), model.buffers()];
  const bytes = [...parameters, ...buffers].reduce((sum, { shape, type }) => sum + numel(shape) * type.size, 0);
  const trained = parameters.filter(({ requiresGrad }) => requiresGrad);
  const kept = buffers.length > 0 ? `; ${grouped(size(buffers))} numbers in buffers` : "";
  return `${grouped(size(parameters))} parameters, ${grouped(size(trained))} of them trained${kept}; ${byteText(bytes)}`;
}
