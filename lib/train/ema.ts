/** An exponential moving average of the weights. */
import { runKernel } from "../engine/run-kernel.js";
import type { Module } from "../nn/module.js";
import { type Parameter, replace } from "../nn/parameter.js";
import { weightedSum } from "../parallel/combine.js";
import type { Tensor } from "../tensor/tensor.js";

/** In the dtype in which steps compute: float32 for halves. */
const inCompute = (x: Tensor): Tensor => (x.type.half ? x.detach().to(x.type.compute.name) : x.detach());

export class Ema {
  private readonly decay: number;
  private readonly names: readonly string[];
  private readonly parameters: readonly Parameter[];
  private readonly averages: readonly Tensor[];

  constructor(model: Module, decay: number) {
    const named = model.namedParameters();
    this.decay = decay;
    this.names = named.map(([name]) => name);
    this.parameters = named.map(([, parameter]) => parameter);
    this.averages = this.parameters.map((p) => inCompute(p).clone());
  }

  /** Takes in the weights after a step; the first are the average. */
  update(first: boolean): void {
    const keep = first ? 0 : this.decay;
    const inputs = this.parameters.flatMap((p, i) => [this.averages[i]!, inCompute(p)]);
    runKernel({ op: "ema", row: weightedSum, targets: this.averages, inputs, attrs: [keep, 1 - keep] });
  }

  /** Runs a synchronous function while the model has the averages for weights. */
  during<T>(f: () => T): T {
    const own = this.parameters.map((p) => p.detach());
    this.parameters.forEach((p, i) => {
      replace(p, this.averages[i]!.to(p.dtype));
    });
    try {
      return f();
    } finally {
      this.parameters.forEach((p, i) => {
        replace(p, own[i]!);
        own[i]!.dispose();
      });
    }
  }

  stateDict(): Record<string, Tensor> {
    return Object.fromEntries(this.names.map((name, i) => [name, this.averages[i]!]));
  }
  /** What the state lacks, as that of another model may, stays as it is. */
  loadStateDict(state: Readonly<Record<string, Tensor>>): void {
    this.names.forEach((name, i) => {
      const saved = state[name];
      if (saved !== undefined) this.averages[i]!.assign(saved);
    });
  }
}
