/** State dictionaries of optimizers: the state of each parameter, and the groups. */
import { needInteger } from "../core/arguments.js";
import { describe, fail } from "../core/errors.js";
import { sameShape, showShape } from "../core/shape.js";
import { outlive } from "../tensor/handle.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import { type ParamGroup, readScheduleFields } from "./param-group.js";
import type { Slot } from "./slot.js";
import type { StepRule } from "./step-rule.js";

/** The state of one parameter: the number of steps, if counted, and tensors by name. */
export type ParameterState = Readonly<Record<string, Tensor | number>>;

/** The state of an optimizer: parameters by index, and groups with indices instead of parameters. */
export interface OptimizerState {
  /** The state of each parameter, by the parameter's index over all groups. */
  readonly state: Readonly<Record<string, ParameterState>>;
  /** The groups: hyperparameters, and `params` as indices. */
  readonly paramGroups: readonly Readonly<Record<string, unknown>>[];
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

type FindSlot = (parameter: Tensor) => Slot;

export function captureState<H extends object>(
  rule: StepRule<H>,
  groups: readonly ParamGroup<H>[],
  slotOf: FindSlot,
): OptimizerState {
  const state: Record<string, ParameterState> = {};
  let index = 0;
  const paramGroups = groups.map(({ params, ...settings }) => {
    const indices = params.map((parameter) => {
      const { age, buffers } = slotOf(parameter);
      if (age > 0) {
        const entry: Record<string, Tensor | number> = rule.counts ? { step: age } : {};
        buffers.forEach((buffer, b) => {
          entry[rule.buffers[b]!] = buffer.detach();
        });
        state[index] = entry;
      }
      return index++;
    });
    return { ...settings, params: indices };
  });
  return { state, paramGroups };
}

/** Checks everything, then changes slots and groups. */
export function restoreState<H extends object>(
  rule: StepRule<H>,
  groups: readonly ParamGroup<H>[],
  slotOf: FindSlot,
  saved: OptimizerState,
): void {
  const { name } = rule;
  const wrong: (fact: string, expected: string, got: unknown) => never = (fact, expected, got) =>
    fail("ERR_ARGUMENT", `${name}.loadStateDict`, fact, expected, describe(got));
  const { state, paramGroups } = ((saved as unknown) ?? {}) as Readonly<Record<string, unknown>>;
  if (!isRecord(state) || !Array.isArray(paramGroups))
    wrong("not the state of an optimizer", "{ state, paramGroups }", saved);
  if (paramGroups.length !== groups.length)
    wrong("the number of groups differs", String(groups.length), paramGroups.length);

  const changes: (() => void)[] = [];
  groups.forEach((group, g) => {
    const from: unknown = paramGroups[g];
    if (!isRecord(from)) wrong(`group ${g} is not valid`, "an object", from);
    const indices = from["params"];
    if (!Array.isArray(indices) || indices.length !== group.params.length)
      wrong(`group ${g} has another number of parameters`, String(group.params.length), indices);
    const settings = Object.fromEntries(
      Object.keys(rule.defaults).map((key) => [key, from[key] === undefined ? group[key as keyof H] : from[key]]),
    );
    rule.attrs(settings as H, 0);
    const kept = readScheduleFields(`${name}.loadStateDict`, from);
    changes.push(() => Object.assign(group, settings, kept));
    group.params.forEach((parameter, i) => {
      const slot = slotOf(parameter);
      const index: unknown = indices[i];
      if (typeof index !== "number" && typeof index !== "string")
        wrong(`an index of group ${g} is not valid`, "an integer", index);
      const entry = state[String(index)];
      if (entry !== undefined && !isRecord(entry))
        wrong(`the state of parameter ${index} is not valid`, "an object", entry);
      const { age, buffers } = readState(
        rule,
        parameter,
        entry as ParameterState | undefined,
        rule.used(settings as H),
      );
      for (const buffer of buffers) outlive(buffer.handle);
      changes.push(() => Object.assign(slot, { age, buffers }));
    });
  });
  for (const change of changes) change();
}

/** A copy of a parameter's state. */
function readState<H extends object>(
  rule: StepRule<H>,
  parameter: Tensor,
  entry: ParameterState | undefined,
  used: number,
): Pick<Slot, "age" | "buffers"> {
  if (entry === undefined) return { age: 0, buffers: [] };
  const op = `${rule.name}.loadStateDict`;
  const buffers: Tensor[] = [];
  for (const name of rule.buffers) {
    const buffer = entry[name];
    if (buffer === undefined && buffers.length >= used) break;
    if (!isTensor(buffer))
      return fail("ERR_ARGUMENT", op, `${name} is missing from a parameter's state`, "a tensor", describe(buffer));
    if (!sameShape(buffer.shape, parameter.shape))
      fail(
        "ERR_SHAPE",
        op,
        `${name} has another shape than its parameter`,
        showShape(parameter.shape),
        showShape(buffer.shape),
      );
    buffers.push(buffer.detach().to(parameter.type.compute.name).clone());
  }
  if (!rule.counts) return { age: 1, buffers };
  const step = entry.step;
  const age = isTensor(step) ? step.item() : step;
  return { age: needInteger(op, "step", age, 0), buffers };
}
