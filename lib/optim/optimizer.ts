/** Shared by all optimizers: parameter groups, the state of each parameter, one native call per group and step. */
import { needFunction, refuse, synchronous } from "../core/arguments.js";
import { brand } from "../core/copy.js";
import { describe, fail } from "../core/errors.js";
import { checkOptions, keysOf, needList } from "../core/options.js";
import { withGrad } from "../engine/modes.js";
import { runKernel } from "../engine/run-kernel.js";
import type { LeafNode } from "../engine/tape.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import {
  type GroupInit,
  type OptionsOf,
  type Parameters,
  type ParamGroup,
  readScheduleFields,
  scheduleFields,
} from "./param-group.js";
import { type Slot, targetsOf } from "./slot.js";
import { captureState, type OptimizerState, restoreState } from "./state.js";
import type { StepRule } from "./step-rule.js";

interface Plan {
  readonly slots: readonly Slot[];
  /** The kernel's outputs when every parameter is updated: parameters, first buffers, second buffers. */
  targets: readonly Tensor[];
}

/**
 * The base class of all optimizers; instantiate a subclass. bfloat16 and float16 parameters are updated in float32 and
 * rounded once; their state is float32.
 */
export abstract class Optimizer<H extends object = { lr: number }> {
  /** The parameter groups. Their hyperparameters may be changed at any time; every step reads them. */
  readonly paramGroups: ParamGroup<H>[] = [];
  /** The default hyperparameters of the groups. */
  readonly defaults: H;
  private readonly rule: StepRule<H>;
  private readonly slots = new Map<Tensor, Slot>();
  private readonly plans: Plan[] = [];

  protected constructor(rule: StepRule<H>, params: Parameters<H>, options?: OptionsOf<H>) {
    this.rule = rule;
    const given = checkOptions<object>(rule.name, options, keysOf(rule.defaults) as never[]) as OptionsOf<H>;
    this.defaults = this.settings(given, rule.defaults);
    const list = this.list<unknown>(params);
    const grouped = list.length > 0 && !list.some(isTensor);
    for (const group of grouped ? list : [{ params: list }]) this.addParamGroup(group as GroupInit<H>);
  }

  /**
   * Adds a parameter group; missing hyperparameters get the optimizer's defaults.
   * @throws ERR_ARGUMENT as the constructor, and for a parameter that is already in a group.
   */
  addParamGroup(group: GroupInit<H>): void {
    const { name, defaults } = this.rule;
    if (typeof group !== "object" || group === null)
      fail("ERR_ARGUMENT", name, "a group must be an object with params", "{ params, ... }", describe(group));
    checkOptions<object>(name, group, ["params", ...keysOf(defaults), ...scheduleFields] as never[]);
    const list = this.list(group.params);
    if (list.length === 0)
      fail(
        "ERR_ARGUMENT",
        name,
        "no parameters were given; a module's #private fields cannot be seen, use TypeScript's private",
      );
    const seen = new Set(this.paramGroups.flatMap((other) => other.params));
    for (const parameter of list) {
      this.slotOf(parameter);
      if (seen.has(parameter)) fail("ERR_ARGUMENT", name, "a parameter is given twice");
      seen.add(parameter);
    }
    const kept = readScheduleFields(name, group);
    this.paramGroups.push({ ...this.settings(group, this.defaults), ...kept, params: list });
  }

  /**
   * Updates every parameter that has a gradient. A closure, if given, is called first: it computes the gradients and
   * returns the loss, which `step` returns.
   * @throws ERR_ARGUMENT for a hyperparameter that has become invalid.
   */
  step(): void;
  step<T>(closure: () => T): T;
  step<T>(closure?: () => T): T | undefined {
    if (closure !== undefined) needFunction("step", closure);
    const loss = closure === undefined ? undefined : withGrad(true, () => synchronous("step", closure()));
    for (let i = 0; i < this.paramGroups.length; i++) this.stepGroup(this.paramGroups[i]!, this.planOf(i));
    return loss;
  }

  /** Clears the gradients of all parameters: `grad` is null afterwards. */
  zeroGrad(): void {
    for (const { params } of this.paramGroups) for (const parameter of params) parameter.grad = null;
  }

  /**
   * The state of each parameter, by the parameter's index over all groups, and the groups with indices instead of
   * parameters. The tensors are not copied: the next step changes them.
   */
  stateDict(): OptimizerState {
    return captureState(this.rule, this.paramGroups, (parameter) => this.slotOf(parameter));
  }

  /**
   * Loads a copy of a state from {@link stateDict}. Parameters are matched by order.
   * @throws ERR_ARGUMENT or ERR_SHAPE for a state that does not fit these groups; the optimizer is then unchanged.
   */
  loadStateDict(state: OptimizerState): void {
    restoreState(this.rule, this.paramGroups, (parameter) => this.slotOf(parameter), state);
    this.plans.length = 0;
  }

  /** @internal */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    const groups = this.paramGroups.map(({ params, ...settings }, i) => {
      const lines = Object.entries(settings).map(([key, value]) => `    ${key}: ${describe(value)}`);
      return [`  group ${i}: ${params.length} parameters`, ...lines].join("\n");
    });
    return `${this.rule.name} (\n${groups.join("\n")}\n)`;
  }

  private stepGroup(group: ParamGroup<H>, plan: Plan): void {
    const due: Slot[] = [];
    const gradients: Tensor[] = [];
    let mixed = false;
    for (const slot of plan.slots) {
      const gradient = gradientOf(slot.parameter);
      if (gradient === null) continue;
      due.push(slot);
      gradients.push(gradient);
      if (slot.age !== due[0]!.age) mixed = true;
    }
    if (!mixed) {
      if (due.length > 0) this.run(group, plan, due, gradients);
      return;
    }
    // Read before the first call, which increments them.
    const ages = due.map((slot) => slot.age);
    for (const age of new Set(ages)) {
      const same = (_: unknown, i: number): boolean => ages[i] === age;
      this.run(group, plan, due.filter(same), gradients.filter(same));
    }
  }

  /** One native call for the parameters with the same number of steps. */
  private run(group: ParamGroup<H>, plan: Plan, due: readonly Slot[], gradients: readonly Tensor[]): void {
    const { rule } = this;
    const { age } = due[0]!;
    const attrs = rule.attrs(group, age);
    const used = rule.used(group);
    const whole = due.length === plan.slots.length;
    let { targets } = plan;
    if (!whole || targets.length !== due.length * (used + 1)) {
      targets = targetsOf(due, used);
      if (whole) plan.targets = targets;
    }
    runKernel({ op: rule.name, row: rule.row!, targets, inputs: gradients, attrs });
    if (used === 0) return;
    const next = rule.counts ? age + 1 : 1;
    for (const slot of due) slot.age = next;
  }

  /** The slots of a group, updated when its list of parameters changes. */
  private planOf(index: number): Plan {
    const { params } = this.paramGroups[index]!;
    const known = this.plans[index];
    let same = known?.slots.length === params.length;
    for (let i = 0; same && i < params.length; i++) same = known!.slots[i]!.parameter === params[i];
    if (known !== undefined && same) return known;
    const plan: Plan = { slots: params.map((parameter) => this.slotOf(parameter)), targets: [] };
    this.plans[index] = plan;
    return plan;
  }

  /** The slot of a parameter; a new parameter is checked. */
  private slotOf(parameter: Tensor): Slot {
    let slot = this.slots.get(parameter);
    if (slot === undefined) {
      this.checkParameter(parameter);
      slot = { parameter, age: 0, buffers: [] };
      this.slots.set(parameter, slot);
    }
    return slot;
  }

  /** Options with defaults filled in, checked. */
  private settings(given: OptionsOf<H>, defaults: H): H {
    const settings = { ...defaults };
    for (const key of keysOf(defaults)) if (given[key] !== undefined) settings[key] = given[key] as H[typeof key];
    this.rule.attrs(settings, 0);
    return settings;
  }

  private list<T>(values: Iterable<T>): T[] {
    return needList(this.rule.name, "params", values, "model.parameters(), [w, b] or [{ params, ... }]");
  }

  private checkParameter(parameter: unknown): void {
    const { name } = this.rule;
    if (!isTensor(parameter)) refuse(name, "a parameter", "a tensor", parameter);
    if (!parameter.isLeaf) fail("ERR_ARGUMENT", name, "a parameter must be a leaf", "a tensor that no op has produced");
    if (parameter.node === null)
      fail(
        "ERR_ARGUMENT",
        name,
        "a parameter must require grad",
        "tensor(data, { requiresGrad: true }) or a Parameter",
      );
    if (parameter.layout !== null)
      fail("ERR_ARGUMENT", name, "a parameter must be contiguous", "a tensor of its own, not a view with strides");
  }
}
brand("other", Optimizer);

/** The contiguous gradient for the kernel, or null. */
function gradientOf(parameter: Tensor): Tensor | null {
  const node = parameter.node as LeafNode | null;
  const gradient = node === null ? null : node.peek();
  return gradient === null || gradient.layout === null ? gradient : gradient.detach().contiguous();
}
