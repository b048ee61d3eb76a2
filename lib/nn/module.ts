import { needBoolean, needFunction, refuse } from "../core/arguments.js";
import { brand } from "../core/copy.js";
import { type DType, dtypeRow } from "../core/dtype.js";
import { fail, named } from "../core/errors.js";
import type { Tensor } from "../tensor/tensor.js";
import { copyOf } from "./clone.js";
import { addHook, type ForwardHook, type ForwardPreHook } from "./hooks.js";
import { Buffer, Parameter, replace } from "./parameter.js";
import { type LoadOptions, type LoadResult, loadState } from "./state.js";
import { held, members, walk } from "./walk.js";

/** Tensors by their names in a module. */
export type StateDict = Record<string, Tensor>;

/**
 * The base class of all layers and models. A subclass assigns its parameters, buffers and submodules to properties and
 * computes in `forward`, which users call: `model.forward(x)`.
 *
 * Parameters ({@link Parameter}), buffers ({@link Buffer}) and submodules are found in the module's own properties, in
 * declaration order, also inside arrays, plain objects, maps and sets. Map entries are named by their keys (strings or
 * numbers), set entries by position. `#private` fields cannot be found: use TypeScript's `private`.
 * @example
 * class Perceptron extends nn.Module {
 *   private first = new nn.Linear(2, 16);
 *   private second = new nn.Linear(16, 1);
 *   override forward(x: Tensor): Tensor {
 *     return this.second.forward(this.first.forward(x).tanh());
 *   }
 * }
 * new Perceptron().parameters().length; // 4
 */
export class Module {
  /** Whether the module is in training mode, which matters to layers such as {@link Dropout}. Set by {@link train}. */
  training = true;

  /** The module's computation. Subclasses declare their own signature. */
  // biome-ignore lint/suspicious/noExplicitAny: subclasses take and give anything, and a list of modules can be called.
  forward(..._inputs: any[]): any {
    return fail("ERR_ARGUMENT", this.constructor.name, "has no forward");
  }

  /** Parameters of this module and its submodules by name, without duplicates. */
  namedParameters(): [string, Parameter][] {
    return stateOf(this).filter(([, value]) => value instanceof Parameter) as [string, Parameter][];
  }
  /** Parameters of this module and its submodules, without duplicates. */
  parameters(): Parameter[] {
    return this.namedParameters().map(([, parameter]) => parameter);
  }
  /** Buffers of this module and its submodules by name, without duplicates. */
  namedBuffers(): [string, Buffer][] {
    return stateOf(this).filter(([, value]) => value instanceof Buffer) as [string, Buffer][];
  }
  /** Buffers of this module and its submodules, without duplicates. */
  buffers(): Buffer[] {
    return this.namedBuffers().map(([, buffer]) => buffer);
  }
  /** Direct submodules by name, without duplicates. */
  namedChildren(): [string, Module][] {
    const found = new Map<Module, string>();
    for (const [name, value] of held(this)) if (value instanceof Module && !found.has(value)) found.set(value, name);
    return [...found].map(([module, name]) => [name, module]);
  }
  /** Direct submodules, without duplicates. */
  children(): Module[] {
    return this.namedChildren().map(([, module]) => module);
  }
  /** This module, named "", and all submodules by path, without duplicates. */
  namedModules(): [string, Module][] {
    return [...walk(this)].filter((entry): entry is [string, Module] => entry[1] instanceof Module);
  }
  /** This module and all submodules, without duplicates. */
  modules(): Module[] {
    return this.namedModules().map(([, module]) => module);
  }

  /** Calls `f` with every submodule, children before their parents, and with this module last. Returns this module. */
  apply(f: (module: Module) => void): this {
    needFunction("apply", f);
    for (const module of this.modules().reverse()) f(module);
    return this;
  }
  /** Sets `training` in this module and all submodules; returns this module. */
  train(mode = true): this {
    needBoolean("train", "the mode", mode);
    for (const module of this.modules()) module.training = mode;
    return this;
  }
  /** Sets evaluation mode: the same as `train(false)`. */
  eval(): this {
    return this.train(false);
  }
  /** Sets the gradients of all parameters to null. */
  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.grad = null;
  }
  /**
   * Converts all float parameters and buffers, and their gradients, to a float dtype, in place. Existing optimizers
   * keep working; their state is not converted. Returns this module.
   * @throws ERR_DTYPE for another dtype.
   */
  to(dtype: DType): this {
    const type = dtypeRow("to", dtype);
    if (type.kind !== "float") fail("ERR_DTYPE", "to", "a module holds floats", "a float dtype", dtype);
    for (const [, tensor] of stateOf(this)) {
      if (tensor.type.kind !== "float" || tensor.type === type) continue;
      const gradient = tensor.grad?.detach() ?? null;
      tensor.grad = null;
      replace(tensor, tensor.detach().to(dtype));
      if (gradient !== null) tensor.grad = gradient.to(dtype);
    }
    return this;
  }

  /**
   * Parameters and persistent buffers by name; a shared tensor occurs once, under its first name. The tensors are
   * detached views, so training changes them; to keep the values, save them or `clone()` each.
   */
  stateDict(): StateDict {
    return Object.fromEntries(
      stateOf(this)
        .filter(lasting)
        .map(([name, tensor]) => [name, tensor.detach()]),
    );
  }
  /**
   * Copies tensors into the parameters and buffers of the same name, in place. A name must match exactly, or be the
   * only match after conversion between camelCase and snake_case. For a shared tensor any one of its names is enough.
   * Returns the missing and the unexpected names.
   * @throws ERR_ARGUMENT with all missing and unexpected names, unless `strict` is false; ERR_SHAPE with all shapes
   * that differ; ERR_DTYPE for values that an integer or bool buffer does not hold (floats with integer values are
   * converted). In these cases nothing is written.
   * @example
   * model.loadStateDict(await loadSafetensors("weights.safetensors"));
   */
  loadStateDict(state: Readonly<Record<string, Tensor>>, options?: LoadOptions): LoadResult {
    return loadState(stateOf(this, true).filter(lasting), state, options);
  }
  /**
   * A copy of the module with its own parameters and buffers; tensors that submodules share are shared in the copy too.
   * Everything else, such as functions, is shared with the original. Hooks, gradients and `#private` fields are not
   * copied.
   */
  clone(): this {
    return copyOf(this);
  }
  /**
   * Copies the parameters and buffers of a module with the same structure into this one.
   * @throws as {@link loadStateDict} does.
   */
  copyFrom(other: Module): this {
    if (!(other instanceof Module)) refuse("copyFrom", "the source", "a module", other);
    named("copyFrom", () => this.loadStateDict(other.stateDict()));
    return this;
  }

  /**
   * Calls `hook(module, inputs, output)` after each `forward`; a result other than undefined replaces the output.
   * Returns a function that removes the hook.
   */
  registerForwardHook<M extends Module>(this: M, hook: ForwardHook<M>): () => void {
    return addHook(this, "after", hook);
  }
  /**
   * Calls `hook(module, inputs)` before each `forward`; a returned array replaces the inputs. Returns a function that
   * removes the hook.
   */
  registerForwardPreHook<M extends Module>(this: M, hook: ForwardPreHook<M>): () => void {
    return addHook(this, "before", hook);
  }

  /** The text between the parentheses when the module is printed. */
  extraRepr(): string {
    return "";
  }
  toString(): string {
    return print(this);
  }
  /** @internal */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
  /** @internal */
  [members](): Iterable<readonly [string, unknown]> {
    return Object.entries(this);
  }
}
brand("Module", Module);

/** Parameters and buffers, each once under its first name, or under all its names. */
function stateOf(root: Module, everyName = false): [string, Parameter | Buffer][] {
  const found: [string, Parameter | Buffer][] = [];
  const seen = new Set<Tensor>();
  for (const [name, value] of walk(root, everyName)) {
    if (!(value instanceof Parameter || value instanceof Buffer) || (!everyName && seen.has(value))) continue;
    seen.add(value);
    found.push([name, value]);
  }
  return found;
}

/** Whether it is part of a module's state dictionary. */
const lasting = ([, value]: readonly [string, Parameter | Buffer]): boolean =>
  value instanceof Parameter || value.persistent;

/** The line of the module, followed by those of its children. */
function print(module: Module): string {
  const { name } = module.constructor;
  const extra = module.extraRepr();
  const lines = [...held(module)]
    .filter((entry): entry is [string, Module] => entry[1] instanceof Module)
    .map(([key, child]) => `  (${key}): ${child.toString().replaceAll("\n", "\n  ")}`);
  if (lines.length === 0) return `${name}(${extra})`;
  return [`${name}(`, ...(extra === "" ? [] : [`  ${extra}`]), ...lines, ")"].join("\n");
}
