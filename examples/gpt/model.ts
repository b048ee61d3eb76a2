/** A GPT: a decoder of pre-norm blocks, with the weights and the initialization of nanoGPT. */
import { nn, scaledDotProductAttention, type Tensor } from "nabla";

export interface GptArgs {
  /** The number of different tokens. */
  readonly vocabulary: number;
  /** The number of tokens that the model sees at most. */
  readonly block: number;
  readonly layers: number;
  readonly heads: number;
  readonly width: number;
  readonly dropout: number;
}

/** Self-attention in which a position sees those up to itself. */
class Attention extends nn.Module {
  readonly heads: number;
  readonly dropout: number;
  readonly project: nn.Linear;
  readonly join: nn.Linear;
  readonly drop: nn.Dropout;

  constructor({ heads, width, dropout }: GptArgs) {
    super();
    this.heads = heads;
    this.dropout = dropout;
    this.project = new nn.Linear(width, 3 * width, { bias: false });
    this.join = new nn.Linear(width, width, { bias: false });
    this.drop = new nn.Dropout(dropout);
  }

  override forward(x: Tensor): Tensor {
    const [batch, length, width] = x.dims(3);
    const [q, k, v] = this.project
      .forward(x)
      .split([width, width, width], 2)
      .map((part) => part.reshape([batch, length, this.heads, width / this.heads]).transpose(1, 2)) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const seen = scaledDotProductAttention(q, k, v, { isCausal: true, dropoutP: this.training ? this.dropout : 0 });
    return this.drop.forward(this.join.forward(seen.transpose(1, 2).reshape(x.shape)));
  }
}

class Block extends nn.Module {
  readonly norm1: nn.LayerNorm;
  readonly attention: Attention;
  readonly norm2: nn.LayerNorm;
  readonly widen: nn.Linear;
  readonly narrow: nn.Linear;
  readonly drop: nn.Dropout;

  constructor(args: GptArgs) {
    super();
    const { width, dropout } = args;
    this.norm1 = new nn.LayerNorm(width, { bias: false });
    this.attention = new Attention(args);
    this.norm2 = new nn.LayerNorm(width, { bias: false });
    this.widen = new nn.Linear(width, 4 * width, { bias: false });
    this.narrow = new nn.Linear(4 * width, width, { bias: false });
    this.drop = new nn.Dropout(dropout);
  }

  override forward(x: Tensor): Tensor {
    const y = x.add(this.attention.forward(this.norm1.forward(x)));
    return y.add(this.drop.forward(this.narrow.forward(this.widen.forward(this.norm2.forward(y)).gelu())));
  }
}

/** Tokens [batch, length] give logits [batch, length, vocabulary]. The table of tokens is also the last layer. */
export class Gpt extends nn.Module {
  readonly block: number;
  readonly tokens: nn.Embedding;
  readonly positions: nn.Embedding;
  readonly drop: nn.Dropout;
  readonly blocks: nn.ModuleList<Block>;
  readonly norm: nn.LayerNorm;

  constructor(args: GptArgs) {
    super();
    const { vocabulary, block, layers, width, dropout } = args;
    this.block = block;
    this.tokens = new nn.Embedding(vocabulary, width);
    this.positions = new nn.Embedding(block, width);
    this.drop = new nn.Dropout(dropout);
    this.blocks = new nn.ModuleList(Array.from({ length: layers }, () => new Block(args)));
    this.norm = new nn.LayerNorm(width, { bias: false });
    // Each of the two residual connections of a layer adds to the variance.
    const residual = 0.02 / Math.sqrt(2 * layers);
    for (const [name, p] of this.namedParameters())
      if (p.ndim === 2) nn.init.normal(p, { std: /(join|narrow)\.weight$/.test(name) ? residual : 0.02 });
  }

  override forward(index: Tensor): Tensor {
    let x = this.tokens.forward(index).add(this.positions.weight.narrow(0, 0, index.size(1)));
    x = this.drop.forward(x);
    for (const block of this.blocks) x = block.forward(x);
    return this.norm.forward(x).matmul(this.tokens.weight.t());
  }
}
