import { refuse } from "../core/arguments.js";
import { describe, fail } from "../core/errors.js";
import { nearest } from "../core/options.js";
import { sameShape, showShape } from "../core/shape.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import type { InputsOf, OutputOf } from "./hooks.js";
import { Module } from "./module.js";
import { Buffer, Parameter } from "./parameter.js";
import { isGroup, walk } from "./walk.js";

const op = "functionalCall";

/** Maps the module's own tensors to their replacements. */
function standIns(model: Module, tensors: Readonly<Record<string, Tensor>>): Map<unknown, Tensor> {
  if (typeof tensors !== "object" || tensors === null || isTensor(tensors))
    fail("ERR_ARGUMENT", op, "the parameters are not valid", "an object of tensors by name", describe(tensors));
  const own = new Map<string, Tensor>();
  for (const [name, value] of walk(model, true))
    if (value instanceof Parameter || value instanceof Buffer) own.set(name, value);
  const found = new Map<unknown, Tensor>();
  for (const [name, value] of Object.entries(tensors)) {
    const target = own.get(name);
    if (target === undefined) {
      const guess = nearest(name, [...own.keys()]);
      fail("ERR_ARGUMENT", op, `the module has no ${name}${guess === undefined ? "" : ` (did you mean "${guess}"?)`}`);
    }
    if (!isTensor(value)) fail("ERR_ARGUMENT", op, `${name} is not a tensor`, "a tensor", describe(value));
    if (!sameShape(value.shape, target.shape))
      fail("ERR_SHAPE", op, `${name} has another shape`, showShape(target.shape), showShape(value.shape));
    found.set(target, value);
  }
  return found;
}

/** Puts the replacements into an object's own properties, also inside groups; `back` collects how to undo it. */
function swap(
  holder: object,
  found: ReadonlyMap<unknown, Tensor>,
  back: (() => void)[],
  seen = new Set<object>(),
): void {
  if (seen.has(holder)) return;
  seen.add(holder);
  if (holder instanceof Set) {
    const before: readonly unknown[] = [...holder];
    for (const value of before) if (isGroup(value)) swap(value, found, back, seen);
    if (!before.some((value) => found.has(value))) return;
    back.push(() => refill(holder, before));
    refill(
      holder,
      before.map((value) => standIn(value, found)),
    );
    return;
  }
  const properties = holder as Record<string, unknown>;
  const put = (key: unknown, value: unknown): void => {
    if (holder instanceof Map) holder.set(key, value);
    else properties[key as string] = value;
  };
  for (const [key, value] of holder instanceof Map ? [...holder] : Object.entries(holder)) {
    const other = found.get(value);
    if (other !== undefined) {
      back.push(() => put(key, value));
      put(key, other);
    } else if (isGroup(value)) swap(value, found, back, seen);
  }
}

/** The replacement of a value of a set: a view, so that a tensor that replaces two parameters stays two values. */
function standIn(value: unknown, found: ReadonlyMap<unknown, Tensor>): unknown {
  const other = found.get(value);
  return other === undefined ? value : other.reshape(other.shape);
}

function refill(set: Set<unknown>, values: readonly unknown[]): void {
  set.clear();
  for (const value of values) set.add(value);
}

/**
 * Calls `model.forward(...inputs)` with the named parameters and buffers replaced; the module is unchanged afterwards.
 * It makes the module a function of its parameters, for {@link grad}, {@link vmap} and the like.
 * @throws ERR_ARGUMENT for a name that the module does not have; ERR_SHAPE if a shape differs.
 * @example
 * const loss = (params: Record<string, Tensor>) => functionalCall(model, params, x).square().mean();
 * const slopes = grad(loss)(model.stateDict());
 * slopes.weight!.shape; // [2, 2]
 */
export function functionalCall<M extends Module>(
  model: M,
  params: Readonly<Record<string, Tensor>>,
  ...inputs: InputsOf<M>
): OutputOf<M> {
  if (!(model instanceof Module)) refuse(op, "the model", "a module", model);
  const found = standIns(model, params);
  const back: (() => void)[] = [];
  try {
    for (const module of model.modules()) swap(module, found, back);
    return (model.forward as (...all: InputsOf<M>) => OutputOf<M>)(...inputs);
  } finally {
    for (const undo of back.reverse()) undo();
  }
}
