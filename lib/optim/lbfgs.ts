import { needFinite, needInteger, refuse, synchronous } from "../core/arguments.js";
import { describe, fail } from "../core/errors.js";
import { withGrad } from "../engine/modes.js";
import type { LeafNode } from "../engine/tape.js";
import { cat, stack } from "../ops/join.js";
import { zeros } from "../tensor/create.js";
import { outlive } from "../tensor/handle.js";
import { isTensor, type Tensor } from "../tensor/tensor.js";
import { Optimizer } from "./optimizer.js";
import type { OptionsOf, ParamGroup } from "./param-group.js";
import type { OptimizerState, ParameterState } from "./state.js";
import type { StepRule } from "./step-rule.js";
import { type Probe, strongWolfe } from "./wolfe.js";

export interface LbfgsHyperparameters {
  /** The step size, or the initial one of the line search; default 1. */
  lr: number;
  /** The maximum number of iterations per step; default 20. */
  maxIter: number;
  /** The maximum number of closure calls per step, including the line search; default maxIter * 5 / 4, rounded down. */
  maxEval: number | null;
  /** Stops when no element of the gradient is larger in absolute value; default 1e-7. */
  toleranceGrad: number;
  /** Stops when the loss, or every parameter, changes by less; default 1e-9. */
  toleranceChange: number;
  /** The number of past steps that approximate the curvature; default 100. */
  historySize: number;
  /** The line search; default null: the step size is `lr`. */
  lineSearchFn: "strongWolfe" | null;
}
export type LbfgsOptions = OptionsOf<LbfgsHyperparameters>;

function whole(name: string, value: unknown): void {
  needInteger("LBFGS", name, value, 1);
}

const rule: StepRule<LbfgsHyperparameters> = {
  name: "LBFGS",
  row: null,
  defaults: {
    lr: 1,
    maxIter: 20,
    maxEval: null,
    toleranceGrad: 1e-7,
    toleranceChange: 1e-9,
    historySize: 100,
    lineSearchFn: null,
  },
  buffers: [],
  counts: false,
  used: () => 0,
  attrs(group) {
    for (const name of ["lr", "toleranceGrad", "toleranceChange"] as const)
      needFinite("LBFGS", name, group[name], { least: 0 });
    for (const name of ["maxIter", "historySize"] as const) whole(name, group[name]);
    if (group.maxEval !== null) whole("maxEval", group.maxEval);
    if (group.lineSearchFn !== null && group.lineSearchFn !== "strongWolfe")
      refuse("LBFGS", "lineSearchFn", '"strongWolfe" or null', group.lineSearchFn);
    return [];
  },
};

/** The state between steps. */
interface Memory {
  nIter: number;
  funcEvals: number;
  /** The last direction and step length, and the loss and gradient before. */
  d: Tensor;
  t: number;
  prevFlatGrad: Tensor;
  prevLoss: number;
  /** Differences of gradients and of parameters, oldest first, and the initial scale of the inverse Hessian. */
  oldDirs: Tensor[];
  oldStps: Tensor[];
  hDiag: number;
}
const numbers = ["nIter", "funcEvals", "t", "prevLoss", "hDiag"] as const;
const vectors = ["d", "prevFlatGrad"] as const;
const lists = ["oldDirs", "oldStps"] as const;

const dot = (a: Tensor, b: Tensor): number => a.dot(b).item();
const largest = (x: Tensor): number => x.abs().amax().item();

/** `-H g`, where H is the approximate inverse Hessian. */
function direction(gradient: Tensor, { oldDirs, oldStps, hDiag }: Memory): Tensor {
  const shares: number[] = [];
  const weights = oldDirs.map((y, i) => 1 / dot(y, oldStps[i]!));
  let q = gradient.neg();
  for (let i = oldDirs.length - 1; i >= 0; i--) {
    shares[i] = dot(oldStps[i]!, q) * weights[i]!;
    q = q.sub(oldDirs[i]!.mul(shares[i]!));
  }
  q = q.mul(hDiag);
  oldDirs.forEach((y, i) => {
    q = q.add(oldStps[i]!.mul(shares[i]! - dot(y, q) * weights[i]!));
  });
  return q;
}

/**
 * L-BFGS: the quasi-Newton method of Broyden, Fletcher, Goldfarb and Shanno, which estimates the curvature from the
 * last `historySize` iterations. A step makes up to `maxIter` iterations. It needs a closure that clears the gradients,
 * computes the loss, calls backward and returns the loss; `step` returns the first loss. All parameters must be in one
 * group.
 * @throws ERR_ARGUMENT for several groups, an invalid hyperparameter, or a step without a closure that returns the
 * loss.
 * @source Nocedal and Wright, Numerical optimization, 2006, algorithm 7.5.
 * @example
 * const w = tensor([3, 4], { requiresGrad: true });
 * const opt = new optim.LBFGS([w], { lineSearchFn: "strongWolfe" });
 * opt.step(() => {
 *   opt.zeroGrad();
 *   const loss = w.sub(1).square().sum();
 *   loss.backward();
 *   return loss;
 * });
 * allClose(w, tensor([1, 1]), { atol: 1e-5 }); // true
 */
export class LBFGS extends Optimizer<LbfgsHyperparameters> {
  private memory: Memory | null = null;

  constructor(params: Iterable<Tensor>, options?: LbfgsOptions) {
    super(rule, params, options);
  }

  override addParamGroup(group: Parameters<Optimizer<LbfgsHyperparameters>["addParamGroup"]>[0]): void {
    if (this.paramGroups.length > 0) fail("ERR_ARGUMENT", "LBFGS", "all parameters are one group");
    super.addParamGroup(group);
  }

  override step(): never;
  override step<T>(closure: () => T): T;
  override step<T>(closure?: () => T): T {
    if (typeof closure !== "function")
      fail("ERR_ARGUMENT", "LBFGS", "a step needs a closure that computes and returns the loss", "step(() => loss)");
    const group = this.paramGroups[0]!;
    rule.attrs(group, 0);
    let first: { loss: T } | undefined;
    const evaluate = (): number => {
      const loss = withGrad(true, () => synchronous("LBFGS", closure()));
      first ??= { loss };
      const value: unknown = isTensor(loss) ? loss.item() : loss;
      if (typeof value === "number") return value;
      return fail("ERR_ARGUMENT", "LBFGS", "the closure must return the loss", "a number or a tensor", describe(loss));
    };
    withGrad(false, () => this.iterate(group, evaluate));
    return first!.loss;
  }

  private iterate(group: ParamGroup<LbfgsHyperparameters>, evaluate: () => number): void {
    const { params, lr, maxIter, toleranceGrad, toleranceChange, lineSearchFn } = group;
    const maxEval = group.maxEval ?? Math.floor((maxIter * 5) / 4);
    let loss = evaluate();
    let gradient = flatGradient(params);
    let evaluations = 1;
    if (this.memory !== null) this.memory.funcEvals++;
    if (largest(gradient) <= toleranceGrad) return;
    for (let round = 1; round <= maxIter; round++) {
      if (lineSearchFn !== null && evaluations >= maxEval) break;
      const memory = this.remember(gradient, loss, group.historySize);
      const { d } = memory;
      const slope = dot(gradient, d);
      memory.t = memory.nIter === 1 ? Math.min(1, 1 / gradient.abs().sum().item()) * lr : lr;
      if (slope > -toleranceChange) break;
      const start = params.map((parameter) => parameter.detach().clone());
      const before = loss;
      let calls = 0;
      if (lineSearchFn === "strongWolfe") {
        const probe = (t: number): Probe => {
          move(params, start, d, t);
          const at = evaluate();
          const g = flatGradient(params);
          return { t, loss: at, gradient: g, slope: dot(g, d) };
        };
        const from = { t: 0, loss, gradient, slope };
        const search = strongWolfe(probe, from, memory.t, largest(d), toleranceChange, maxEval - evaluations);
        ({ loss, gradient, t: memory.t } = search.best);
        calls = search.evaluations;
        move(params, start, d, memory.t);
      } else {
        move(params, start, d, memory.t);
        if (round < maxIter && evaluations < maxEval) {
          loss = evaluate();
          gradient = flatGradient(params);
          calls = 1;
        }
      }
      evaluations += calls;
      memory.funcEvals += calls;
      if (evaluations >= maxEval || largest(gradient) <= toleranceGrad) break;
      if (largest(d) * memory.t <= toleranceChange || Math.abs(loss - before) < toleranceChange) break;
    }
    this.keep();
  }

  /** Adds the last step to the history, and computes the next direction. */
  private remember(gradient: Tensor, loss: number, historySize: number): Memory {
    let { memory } = this;
    if (memory === null) {
      memory = {
        nIter: 0,
        funcEvals: 1,
        d: gradient.neg(),
        t: 0,
        prevFlatGrad: gradient,
        prevLoss: loss,
        oldDirs: [],
        oldStps: [],
        hDiag: 1,
      };
      this.memory = memory;
    } else {
      const y = gradient.sub(memory.prevFlatGrad);
      const s = memory.d.mul(memory.t);
      const curvature = dot(y, s);
      if (curvature > 1e-10) {
        memory.oldDirs = [...memory.oldDirs, y].slice(-historySize);
        memory.oldStps = [...memory.oldStps, s].slice(-historySize);
        memory.hDiag = curvature / dot(y, y);
      }
      memory.d = direction(gradient, memory);
    }
    memory.nIter++;
    memory.prevFlatGrad = gradient;
    memory.prevLoss = loss;
    return memory;
  }

  /** Keeps the state for the next step alive beyond an enclosing scope. */
  private keep(): void {
    const { memory } = this;
    if (memory === null) return;
    for (const x of [memory.d, memory.prevFlatGrad, ...memory.oldDirs, ...memory.oldStps]) outlive(x.handle);
  }

  override stateDict(): OptimizerState {
    const { state: _, paramGroups } = super.stateDict();
    const { memory } = this;
    if (memory === null) return { state: {}, paramGroups };
    const entry: Record<string, Tensor | number> = {};
    for (const name of numbers) entry[name] = memory[name];
    for (const name of vectors) entry[name] = memory[name].clone();
    for (const name of lists) if (memory[name].length > 0) entry[name] = stack(memory[name]);
    return { state: { 0: entry }, paramGroups };
  }

  override loadStateDict(state: OptimizerState): void {
    const entry: unknown = state?.state?.["0"];
    if (entry !== undefined && (typeof entry !== "object" || entry === null))
      refuse("LBFGS.loadStateDict", "the state", "an object", entry);
    const memory = entry === undefined ? null : this.read(entry as ParameterState);
    super.loadStateDict({ ...state, state: {} });
    this.memory = memory;
    this.keep();
  }

  /** Checks a loaded state, and copies its numbers and tensors. */
  private read(entry: ParameterState): Memory {
    const op = "LBFGS.loadStateDict";
    const { params } = this.paramGroups[0]!;
    const size = params.reduce((sum, parameter) => sum + parameter.numel, 0);
    const number = (name: string): number => {
      const value = entry[name];
      if (typeof value === "number") return value;
      return refuse(op, name, "a number", value);
    };
    const copy = (name: string, ndim: number): Tensor => {
      const value = entry[name];
      if (!isTensor(value) || value.ndim !== ndim || value.shape[ndim - 1] !== size)
        refuse(op, name, `a tensor of ${size} numbers a row`, value);
      return value.detach().clone();
    };
    const rows = (name: string): Tensor[] => (entry[name] === undefined ? [] : copy(name, 2).unbind(0));
    const [oldDirs, oldStps] = [rows("oldDirs"), rows("oldStps")];
    if (oldDirs.length !== oldStps.length)
      fail("ERR_ARGUMENT", op, "oldDirs and oldStps differ in length", String(oldDirs.length), String(oldStps.length));
    const [d, prevFlatGrad] = [copy("d", 1), copy("prevFlatGrad", 1)];
    const [nIter, funcEvals, t, prevLoss, hDiag] = numbers.map(number) as [number, number, number, number, number];
    return { nIter, funcEvals, d, t, prevFlatGrad, prevLoss, oldDirs, oldStps, hDiag };
  }
}

/** All gradients as one vector, zeros for missing ones; half precision as float32. */
function flatGradient(params: readonly Tensor[]): Tensor {
  const parts = params.map((parameter) => {
    const gradient = (parameter.node as LeafNode).peek();
    const dtype = parameter.type.compute.name;
    return gradient === null ? zeros([parameter.numel], { dtype }) : gradient.detach().reshape([-1]).to(dtype);
  });
  return cat(parts);
}

/** Moves the parameters to the start plus t times the direction. */
function move(params: readonly Tensor[], start: readonly Tensor[], d: Tensor, t: number): void {
  let from = 0;
  params.forEach((parameter, i) => {
    const piece = d.narrow(0, from, parameter.numel).reshape(parameter.shape);
    parameter.assign(start[i]!.add(piece.mul(t)));
    from += parameter.numel;
  });
}
