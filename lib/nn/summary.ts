import { describe, fail } from "../core/errors.js";
import { numel } from "../core/shape.js";
import { Tensor } from "../tensor/tensor.js";
import { inference } from "./inference.js";
import { Module } from "./module.js";
import { Buffer, Parameter } from "./parameter.js";
import { held } from "./walk.js";

const GAP = "  ";
const UNITS = ["B", "KB", "MB", "GB", "TB"];

/**
 * A table of a model's modules: path, class, the parameters and buffers of each with their shapes, and the number of
 * parameters; below it the totals, without duplicates. If inputs are given, the model runs on them as in {@link
 * inference}, and a column shows the output shape of each module's last call.
 * @param inputs what the model's `forward` takes.
 * @throws ERR_ARGUMENT for what is no module; whatever `forward` throws.
 * @example
 * summary(new nn.Sequential(new nn.Linear(2, 16), new nn.Tanh(), new nn.Linear(16, 1)), zeros([8, 2]));
 * // module  class       parameters                count  output
 * //         Sequential                                   [8, 1]
 * // 0       Linear      weight [16, 2] bias [16]     48  [8, 16]
 * // 1       Tanh                                         [8, 16]
 * // 2       Linear      weight [1, 16] bias [1]      17  [8, 1]
 * // 65 parameters, 65 of them trained; 260 B
 */
export function summary(model: Module, ...inputs: unknown[]): string {
  if (!(model instanceof Module))
    fail("ERR_ARGUMENT", "summary", "the model is not valid", "a module", describe(model));
  const modules = model.namedModules();
  const outputs = inputs.length > 0 ? outputsOf(model, inputs) : null;
  const rows = modules.map(([path, module]) => {
    const own = [...held(module)].filter(isState);
    const count = size(own.map(([, tensor]) => tensor).filter(isParameter));
    const state = own.map(([name, tensor]) => `${name} ${shown(tensor)}`).join(" ");
    return [path, module.constructor.name, state, count ? grouped(count) : "", outputs?.get(module) ?? ""];
  });
  return [...table([["module", "class", "parameters", "count", outputs ? "output" : ""], ...rows]), totals(model)].join(
    "\n",
  );
}

type State = Parameter | Buffer;
const isParameter = (tensor: State): tensor is Parameter => tensor instanceof Parameter;
const isState = (entry: [string, unknown]): entry is [string, State] =>
  entry[1] instanceof Parameter || entry[1] instanceof Buffer;
const shown = (tensor: Tensor): string => `[${tensor.shape.join(", ")}]`;
const size = (tensors: readonly Tensor[]): number => tensors.reduce((sum, { shape }) => sum + numel(shape), 0);
const grouped = (count: number): string => count.toLocaleString("en-US");

/** The output shape of each module, as text. */
function outputsOf(model: Module, inputs: readonly unknown[]): Map<Module, string> {
  const found = new Map<Module, string>();
  const removers = model.modules().map((module) =>
    module.registerForwardHook((_module, _inputs, output: unknown) => {
      found.set(module, outputText(output));
    }),
  );
  try {
    inference(model, () => void (model.forward as (...given: unknown[]) => unknown)(...inputs));
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

/** Aligned columns, the counts to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const pad = (cell: string, column: number): string =>
    column === 3 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!);
  return rows.map((row) => row.map(pad).join(GAP).trimEnd());
}

function totals(model: Module): string {
  const [parameters, buffers] = [model.parameters(), model.buffers()];
  const bytes = [...parameters, ...buffers].reduce((sum, { shape, type }) => sum + numel(shape) * type.size, 0);
  const trained = parameters.filter(({ requiresGrad }) => requiresGrad);
  const kept = buffers.length > 0 ? `; ${grouped(size(buffers))} numbers in buffers` : "";
  return `${grouped(size(parameters))} parameters, ${grouped(size(trained))} of them trained${kept}; ${byteText(bytes)}`;
}

function byteText(bytes: number): string {
  const unit = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  return `${Number((bytes / 1024 ** unit).toPrecision(4))} ${UNITS[unit]}`;
}
