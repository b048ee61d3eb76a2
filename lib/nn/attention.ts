import { needInteger, needShare } from "../core/arguments.js";
import type { DType } from "../core/dtype.js";
import { fail } from "../core/errors.js";
import { checkOptions } from "../core/options.js";
import { showShape } from "../core/shape.js";
import { inFloat32 } from "../engine/float32-fallback.js";
import { needTensor } from "../engine/operand.js";
import { attentionWeights, causalMask, scaledDotProductAttention } from "../ops/attention.js";
import { linear } from "../ops/matmul.js";
import { dropout } from "../ops/random.js";
import { zeros } from "../tensor/create.js";
import type { Tensor } from "../tensor/tensor.js";
import { xavierUniform, zeros as zero } from "./init.js";
import { Linear } from "./linear.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";
import { members, renamed } from "./walk.js";

export interface MultiheadAttentionOptions {
  /** The dropout probability of the attention weights while training; default 0. */
  readonly dropout?: number | undefined;
  /** Whether the projections have a bias; default true. */
  readonly bias?: boolean | undefined;
  /** Whether tensors are [n, length, embedDim] instead of [length, n, embedDim]; default false, as in PyTorch. */
  readonly batchFirst?: boolean | undefined;
  /** The dtype of the parameters; default `getDefaultDtype()`. */
  readonly dtype?: DType | undefined;
}
export interface MultiheadCallOptions {
  /** A bool mask [n, s] (or [s]): true for keys that no query may attend to. */
  readonly keyPaddingMask?: Tensor | null | undefined;
  /**
   * [l, s] or [n * numHeads, l, s]: bool, true where a query may not attend to a key, or floats that are added to the
   * scores.
   */
  readonly attnMask?: Tensor | null | undefined;
  /** Whether query i attends only to keys up to i; default false. */
  readonly isCausal?: boolean | undefined;
  /** Whether the attention weights are returned too; default true. */
  readonly needWeights?: boolean | undefined;
  /** Whether the returned weights are averaged over the heads; default true. */
  readonly averageAttnWeights?: boolean | undefined;
}

/** PyTorch's names in a state dictionary. */
const keys: Readonly<Record<string, string>> = {
  inProjWeight: "in_proj_weight",
  inProjBias: "in_proj_bias",
  outProj: "out_proj",
};

/**
 * Multi-head attention: query, key and value are projected by linear layers, and each head attends with its slice of
 * the projections; see {@link scaledDotProductAttention}. Returns the result and the attention weights (null without
 * `needWeights`). Masks are those of PyTorch's module: true hides a key, the opposite of scaledDotProductAttention.
 * @shape query [l, n, embedDim], key and value [s, n, embedDim]; with `batchFirst` [n, l, embedDim]; or without n.
 * Returns the query's shape, and weights [n, l, s], or [n, numHeads, l, s] unless averaged.
 * @throws ERR_ARGUMENT if numHeads does not divide embedDim; ERR_SHAPE if sizes do not fit.
 * @source Vaswani et al., Attention is all you need, 2017.
 * @example
 * const attention = new nn.MultiheadAttention(4, 2, { batchFirst: true });
 * const [y, weights] = attention.forward(ones([1, 3, 4]), ones([1, 5, 4]), ones([1, 5, 4]));
 * y.shape; // [1, 3, 4]
 * weights!.shape; // [1, 3, 5]
 */
export class MultiheadAttention extends Module {
  readonly embedDim: number;
  readonly numHeads: number;
  readonly dropout: number;
  readonly batchFirst: boolean;
  readonly inProjWeight: Parameter;
  readonly inProjBias: Parameter | null;
  readonly outProj: Linear;

  constructor(embedDim: number, numHeads: number, options?: MultiheadAttentionOptions) {
    super();
    const op = "MultiheadAttention";
    const given = checkOptions<MultiheadAttentionOptions>(op, options, ["dropout", "dtype"], ["bias", "batchFirst"]);
    const { dropout: p = 0, bias = true, batchFirst = false, dtype } = given;
    this.embedDim = needInteger(op, "embedDim", embedDim, 1);
    this.numHeads = needInteger(op, "numHeads", numHeads, 1);
    if (embedDim % numHeads !== 0)
      fail("ERR_ARGUMENT", op, "the heads do not divide embedDim", `a divisor of ${embedDim}`, String(numHeads));
    needShare(op, "dropout", p);
    this.dropout = p;
    this.batchFirst = batchFirst;
    this.inProjWeight = new Parameter(zeros([3 * embedDim, embedDim], { dtype }));
    this.inProjBias = bias ? new Parameter(zeros([3 * embedDim], { dtype })) : null;
    this.outProj = new Linear(embedDim, embedDim, { bias, dtype });
    this.resetParameters();
  }
  /** Reinitializes the weights; biases become 0. */
  resetParameters(): void {
    xavierUniform(this.inProjWeight);
    this.outProj.resetParameters();
    if (this.outProj.bias !== null) zero(this.outProj.bias);
    if (this.inProjBias !== null) zero(this.inProjBias);
  }

  override forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options?: MultiheadCallOptions,
  ): [output: Tensor, weights: Tensor | null] {
    const op = "MultiheadAttention";
    const flags = ["isCausal", "needWeights", "averageAttnWeights"] as const;
    const given = checkOptions<MultiheadCallOptions>(op, options, ["keyPaddingMask", "attnMask"], flags);
    const inputs = [
      needTensor(op, query, "the query"),
      needTensor(op, key, "the key"),
      needTensor(op, value, "the value"),
    ];
    const rank = query.ndim;
    if ((rank !== 2 && rank !== 3) || inputs.some((x) => x.ndim !== rank || x.shape[rank - 1] !== this.embedDim))
      fail(
        "ERR_SHAPE",
        op,
        "query, key and value do not fit",
        `three of rank 2 or 3 that end in ${this.embedDim}`,
        inputs.map((x) => showShape(x.shape)).join(", "),
      );
    // [n, length, embedDim] from here on.
    const batched = inputs.map((x) => (rank === 2 ? x.unsqueeze(0) : this.batchFirst ? x : x.transpose(0, 1)));
    const [n, l] = batched[0]!.dims(3);
    const s = batched[1]!.shape[1]!;
    if (batched.some((x) => x.shape[0] !== n) || batched[2]!.shape[1] !== s)
      fail(
        "ERR_SHAPE",
        op,
        "query, key and value do not fit",
        "one batch, and as many values as keys",
        inputs.map((x) => showShape(x.shape)).join(", "),
      );
    const { embedDim, numHeads } = this;
    const [q, k, v] = batched.map((x, i) => {
      const weight = this.inProjWeight.narrow(0, i * embedDim, embedDim);
      const bias = this.inProjBias?.narrow(0, i * embedDim, embedDim) ?? null;
      return linear(x, weight, bias)
        .reshape([n, x.shape[1]!, numHeads, embedDim / numHeads])
        .transpose(1, 2);
    }) as [Tensor, Tensor, Tensor];
    const attnMask = this.mask(n, l, s, given);
    const causal = attnMask === null && given.isCausal === true;
    const p = this.training ? this.dropout : 0;
    const weights = given.needWeights === false ? null : this.weights(q, k, attnMask, causal);
    const heads =
      weights === null
        ? scaledDotProductAttention(q, k, v, { attnMask, isCausal: causal, dropoutP: p })
        : dropout(weights, p).matmul(v).to(v.dtype);
    const joined = this.outProj.forward(heads.transpose(1, 2).reshape([n, l, embedDim]));
    const output = rank === 2 ? joined.squeeze(0) : this.batchFirst ? joined : joined.transpose(0, 1);
    if (weights === null) return [output, null];
    const shown = (given.averageAttnWeights === false ? weights : weights.mean(1)).to(q.dtype);
    return [output, rank === 2 ? shown.squeeze(0) : shown];
  }

  /** The attention weights of all heads, not yet rounded: float32 for half precision. */
  private weights(q: Tensor, k: Tensor, mask: Tensor | null, causal: boolean): Tensor {
    const p = { scale: 1 / Math.sqrt(this.embedDim / this.numHeads), causal, drop: [] };
    const floats = mask?.type.kind === "float" ? [q, k, mask] : [q, k];
    return inFloat32(floats, (a, b, added) => attentionWeights(a, b, added ?? mask, p));
  }

  /**
   * All masks combined, broadcastable to [n, heads, l, s]: true where a key is visible, or floats to add; null for
   * none.
   */
  private mask(n: number, l: number, s: number, given: MultiheadCallOptions): Tensor | null {
    const op = "MultiheadAttention";
    const { keyPaddingMask, attnMask } = given;
    const seen: Tensor[] = [];
    let added: Tensor | null = null;
    if (keyPaddingMask !== undefined && keyPaddingMask !== null) {
      const padding = needTensor(op, keyPaddingMask, "the keyPaddingMask");
      if (padding.type.kind !== "bool" || padding.numel !== n * s || padding.shape.at(-1) !== s)
        fail(
          "ERR_SHAPE",
          op,
          "the keyPaddingMask does not fit",
          `truth values [${n}, ${s}]`,
          `${padding.dtype} ${showShape(padding.shape)}`,
        );
      seen.push(padding.logicalNot().reshape([n, 1, 1, s]));
    }
    if (attnMask !== undefined && attnMask !== null) {
      const mask = needTensor(op, attnMask, "the attnMask");
      const fits = mask.shape.at(-1) === s && mask.shape.at(-2) === l && mask.ndim <= 3;
      if (!fits || (mask.ndim === 3 && mask.shape[0] !== n * this.numHeads) || mask.type.kind === "int")
        fail(
          "ERR_SHAPE",
          op,
          "the attnMask does not fit",
          `bool or float [${l}, ${s}] or [${n * this.numHeads}, ${l}, ${s}]`,
          `${mask.dtype} ${showShape(mask.shape)}`,
        );
      const shaped = mask.ndim === 3 ? mask.reshape([n, this.numHeads, l, s]) : mask;
      if (mask.type.kind === "bool") seen.push(shaped.logicalNot());
      else added = shaped;
    }
    if (given.isCausal === true && (seen.length > 0 || added !== null)) seen.push(causalMask(l, s));
    if (seen.length === 0) return added;
    const all = seen.reduce((a, b) => a.logicalAnd(b));
    return added === null ? all : all.where(added, Number.NEGATIVE_INFINITY);
  }
  override extraRepr(): string {
    return `embedDim=${this.embedDim}, numHeads=${this.numHeads}`;
  }
  /** @internal */
  override [members](): Iterable<readonly [string, unknown]> {
    return renamed(this, keys);
  }
}
