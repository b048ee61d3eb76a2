/** Recurrent networks as modules. */
import { needInteger, needShare } from "../core/arguments.js";
import type { DType } from "../core/dtype.js";
import { checkOptions } from "../core/options.js";
import { type GruResult, gru, type LstmResult, lstm } from "../ops/recurrent.js";
import { zeros } from "../tensor/create.js";
import { needHeapForTensors } from "../tensor/javascript-memory.js";
import type { Tensor } from "../tensor/tensor.js";
import { uniform } from "./init.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";
import { members } from "./walk.js";

export interface RecurrentOptions {
  /** The number of stacked layers; default 1. */
  readonly numLayers?: number | undefined;
  /** Whether the layers have biases; default true. */
  readonly bias?: boolean | undefined;
  /** Whether sequences are [n, t, features] instead of [t, n, features]; default false. */
  readonly batchFirst?: boolean | undefined;
  /** The dropout probability between layers while training; default 0. */
  readonly dropout?: number | undefined;
  /** Whether every layer is bidirectional; default false. */
  readonly bidirectional?: boolean | undefined;
  /** The dtype of the parameters; default `getDefaultDtype()`. */
  readonly dtype?: DType | undefined;
}
/** The parameters of one layer in one direction; see {@link lstm}. */
export interface RecurrentParameters {
  readonly weightIh: Parameter;
  readonly weightHh: Parameter;
  readonly biasIh: Parameter | null;
  readonly biasHh: Parameter | null;
}
export interface GruState {
  /** The initial state; default zeros. */
  readonly h0?: Tensor | null | undefined;
}
export interface LstmState extends GruState {
  /** The initial cell state; default zeros. */
  readonly c0?: Tensor | null | undefined;
}

const keys = { weightIh: "weight_ih", weightHh: "weight_hh", biasIh: "bias_ih", biasHh: "bias_hh" } as const;

abstract class Recurrent extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  /**
   * The parameters of the layers in order; if bidirectional, each layer's forward direction and then its backward one.
   */
  readonly weights: readonly RecurrentParameters[];

  protected constructor(op: string, gates: number, inputSize: number, hiddenSize: number, options?: RecurrentOptions) {
    super();
    const given = checkOptions<RecurrentOptions>(
      op,
      options,
      ["numLayers", "dropout", "dtype"],
      ["bias", "batchFirst", "bidirectional"],
    );
    const { numLayers = 1, bias = true, batchFirst = false, dropout = 0, bidirectional = false, dtype } = given;
    this.inputSize = needInteger(op, "inputSize", inputSize, 1);
    this.hiddenSize = needInteger(op, "hiddenSize", hiddenSize, 1);
    this.numLayers = needInteger(op, "numLayers", numLayers, 1);
    needShare(op, "dropout", dropout);
    this.bias = bias;
    this.batchFirst = batchFirst;
    this.dropout = dropout;
    this.bidirectional = bidirectional;
    const directions = bidirectional ? 2 : 1;
    needHeapForTensors(op, this.numLayers * directions * (bias ? 4 : 2), "parameter");
    const rows = gates * hiddenSize;
    const parameter = (...shape: number[]): Parameter => new Parameter(zeros(shape, { dtype }));
    this.weights = Array.from({ length: numLayers * directions }, (_, i) => ({
      weightIh: parameter(rows, i < directions ? inputSize : directions * hiddenSize),
      weightHh: parameter(rows, hiddenSize),
      biasIh: bias ? parameter(rows) : null,
      biasHh: bias ? parameter(rows) : null,
    }));
    this.resetParameters();
  }
  /** Reinitializes all parameters uniformly between ±1 / sqrt(hiddenSize). */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.hiddenSize);
    for (const parameter of this.parameters()) uniform(parameter, { a: -bound, b: bound });
  }
  override extraRepr(): string {
    const { inputSize, hiddenSize, numLayers, bidirectional } = this;
    return `inputSize=${inputSize}, hiddenSize=${hiddenSize}, numLayers=${numLayers}, bidirectional=${bidirectional}`;
  }
  /** @internal */
  override [members](): Iterable<readonly [string, unknown]> {
    const directions = this.bidirectional ? 2 : 1;
    return this.weights.flatMap((weights, i) => {
      const place = `_l${Math.floor(i / directions)}${i % directions === 1 ? "_reverse" : ""}`;
      return Object.entries(keys).map(([name, key]) => [key + place, weights[name as keyof typeof keys]] as const);
    });
  }
}

/**
 * A long short-term memory (LSTM) network, see {@link lstm}. Parameters are initialized uniformly between ±1 /
 * sqrt(hiddenSize).
 * @shape x [t, n, inputSize], [n, t, inputSize] with `batchFirst`, or [t, inputSize]; gives `output` with hiddenSize (twice
 * that where it is bidirectional) in the place of inputSize, and `hn` and `cn` [numLayers * directions, n, hiddenSize].
 * @throws ERR_ARGUMENT unless sizes are positive integers; ERR_SHAPE for an input or states that do not fit.
 * @example
 * const net = new nn.LSTM(3, 2, { batchFirst: true });
 * const { output, hn, cn } = net.forward(ones([4, 5, 3]));
 * output.shape; // [4, 5, 2]
 * net.forward(ones([4, 1, 3]), { h0: hn, c0: cn }).output.shape; // [4, 1, 2]
 */
export class LSTM extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options?: RecurrentOptions) {
    super("LSTM", 4, inputSize, hiddenSize, options);
  }
  override forward(x: Tensor, state?: LstmState): LstmResult {
    const { h0, c0 } = checkOptions<LstmState>("LSTM", state, ["h0", "c0"]);
    const { batchFirst, dropout, bidirectional, training } = this;
    return lstm(x, this.weights, { h0, c0, batchFirst, dropout, bidirectional, training });
  }
}

/**
 * A network of gated recurrent units (GRU), see {@link gru}. Parameters are initialized uniformly between ±1 /
 * sqrt(hiddenSize).
 * @shape as {@link LSTM}, without `cn`. @throws as {@link LSTM}.
 * @example new nn.GRU(3, 2, { bidirectional: true }).forward(ones([5, 4, 3])).output.shape; // [5, 4, 4]
 */
export class GRU extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options?: RecurrentOptions) {
    super("GRU", 3, inputSize, hiddenSize, options);
  }
  override forward(x: Tensor, state?: GruState): GruResult {
    const { h0 } = checkOptions<GruState>("GRU", state, ["h0"]);
    const { batchFirst, dropout, bidirectional, training } = this;
    return gru(x, this.weights, { h0, batchFirst, dropout, bidirectional, training });
  }
}
