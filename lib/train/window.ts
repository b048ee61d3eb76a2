/** The batches of one step of the optimizer. */
import { defaultFloat } from "../core/dtype.js";
import { type Log, numberOf } from "../job/loss.js";
import {
  countOf,
  type Gradients,
  type Share,
  storeGradients,
  sumLogs,
  sumLosses,
  weightedGradients,
  weightsOf,
} from "../parallel/combine.js";
import type { Tensor } from "../tensor/tensor.js";

/** The mean over the batches of a step, whose gradients are in the parameters. */
export interface Mean {
  readonly loss: Tensor;
  readonly rows: number;
  readonly log: Log;
}

/** What has been summed so far: nothing is divided before the number of all terms is known. */
interface Sums {
  readonly batches: number;
  readonly rows: number;
  readonly count: number;
  /** In float64. */
  readonly loss: Tensor;
  readonly log: Readonly<Record<string, number>>;
  readonly gradients: Gradients;
}

const scaleOf = ({ result }: Share): number => result.scale;

export class Window {
  private readonly parameters: readonly Tensor[];
  /** Whether the gradients of a batch that is one share are those of the parameters already. */
  private readonly inPlace: boolean;
  private sums: Sums | null = null;

  constructor(parameters: readonly Tensor[], inPlace: boolean) {
    this.parameters = parameters;
    this.inPlace = inPlace;
  }

  /** The number of batches in it. */
  get batches(): number {
    return this.sums?.batches ?? 0;
  }

  /** Adds a batch that is not the last one; `check` gets its loss first. */
  add(shares: readonly Share[], check: (loss: Tensor) => void): void {
    const { sums } = this;
    const scales = shares.map(scaleOf);
    const loss = sumLosses(shares, scales);
    check(loss);
    const log: Record<string, number> = { ...sums?.log };
    for (const [name, value] of Object.entries(sumLogs(shares, scales))) log[name] = (log[name] ?? 0) + numberOf(value);
    const summed = {
      batches: this.batches + 1,
      rows: shares.reduce((sum, { rows }) => sum + rows, sums?.rows ?? 0),
      count: countOf(shares) + (sums?.count ?? 0),
      loss: sums === null ? loss : sums.loss.add(loss),
      log,
      gradients: weightedGradients(this.parameters, this.terms(shares), this.weights(scales, 1)),
    };
    this.clear();
    this.sums = summed;
  }

  /**
   * The mean over all batches, with these shares of the last one; `check` gets the loss before the gradients become those
   * of the parameters. What has been summed stays until `clear`.
   */
  close(shares: readonly Share[], check: (loss: Tensor) => void): Mean {
    const { sums, parameters } = this;
    const count = countOf(shares) + (sums?.count ?? 0);
    const weights = weightsOf(shares, count);
    const rows = shares.reduce((sum, share) => sum + share.rows, sums?.rows ?? 0);
    const [only] = shares;
    const alone = sums === null && shares.length === 1 && weights[0] === 1;
    const last = shares.length === 0 ? null : alone ? only!.loss : sumLosses(shares, weights);
    const before = sums?.loss.mul(1 / count) ?? null;
    const sum = before === null ? last! : last === null ? before : before.add(last);
    const loss = sum.to(defaultFloat().name);
    check(loss);
    if (!alone || !this.inPlace) {
      const terms = weightedGradients(parameters, this.terms(shares), this.weights(weights, 1 / count));
      storeGradients(parameters, terms);
    }
    if (alone) return { loss, rows, log: only!.result.log };
    const log: Record<string, number> = {};
    for (const [name, value] of Object.entries(sums?.log ?? {})) log[name] = value / count;
    if (shares.length > 0)
      for (const [name, value] of Object.entries(sumLogs(shares, weights)))
        log[name] = (log[name] ?? 0) + numberOf(value);
    return { loss, rows, log };
  }

  clear(): void {
    for (const gradient of this.sums?.gradients ?? []) gradient?.dispose();
    this.sums = null;
  }

  /** The state in the middle of a step; null between two. */
  stateDict(): unknown {
    if (this.sums === null) return null;
    const { gradients, ...rest } = this.sums;
    return { ...rest, gradients: [...gradients] };
  }
  loadStateDict(state: unknown): void {
    this.sums = state as Sums | null;
  }

  private terms(shares: readonly Share[]): Gradients[] {
    const own = shares.map(({ gradients }) => gradients);
    return this.sums === null ? own : [this.sums.gradients, ...own];
  }
  private weights(own: readonly number[], before: number): readonly number[] {
    return this.sums === null ? own : [before, ...own];
  }
}
