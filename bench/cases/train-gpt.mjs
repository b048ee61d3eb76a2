// The training step of a small GPT: pre-norm blocks, causal attention, AdamW.
import { crossEntropy, embedding, gelu, nn, noGrad, optim, scaledDotProductAttention, tensor } from "nabla";
import { gptInputs, uniform } from "../harness/inputs.mjs";
import { repeat } from "../harness/steps.mjs";

/** A pre-norm block of attention and a perceptron. */
export class Block extends nn.Module {
  constructor({ width, heads }) {
    super();
    this.heads = heads;
    this.norm1 = new nn.LayerNorm(width);
    this.project = new nn.Linear(width, 3 * width);
    this.join = new nn.Linear(width, width);
    this.norm2 = new nn.LayerNorm(width);
    this.widen = new nn.Linear(width, 4 * width);
    this.narrow = new nn.Linear(4 * width, width);
  }
  forward(x) {
    const [batch, length, width] = x.shape;
    const [q, k, v] = this.project
      .forward(this.norm1.forward(x))
      .split(width, 2)
      .map((part) => part.reshape([batch, length, this.heads, width / this.heads]).transpose(1, 2));
    const seen = scaledDotProductAttention(q, k, v, { isCausal: true });
    const y = x.add(this.join.forward(seen.transpose(1, 2).reshape(x.shape)));
    return y.add(this.narrow.forward(gelu(this.widen.forward(this.norm2.forward(y)))));
  }
}

export class GPT extends nn.Module {
  constructor(spec) {
    super();
    const { vocabulary, block, width, layers } = spec;
    this.tokens = new nn.Parameter(tensor(uniform(vocabulary * width, 1), { shape: [vocabulary, width] }));
    this.places = new nn.Parameter(tensor(uniform(block * width, 2), { shape: [block, width] }));
    this.blocks = new nn.ModuleList(Array.from({ length: layers }, () => new Block(spec)));
    this.norm = new nn.LayerNorm(width);
    this.head = new nn.Linear(width, vocabulary);
  }
  forward(index) {
    let x = embedding(index, this.tokens).add(this.places);
    for (const block of this.blocks) x = block.forward(x);
    return this.head.forward(this.norm.forward(x));
  }
}

function gpt(spec) {
  const { batch, block, vocabulary, lr } = spec;
  const model = new GPT(spec);
  const { x, y, bounds } = gptInputs(spec);
  // In order of definition, each from a seed of its own; norms start as the identity.
  noGrad(() => {
    model.parameters().forEach((p, i) => {
      if (bounds[i] > 0) p.assign(tensor(uniform(p.numel, 10 + i, -bounds[i], bounds[i]), { shape: p.shape }));
    });
  });
  const rule = new optim.AdamW(model.parameters(), { lr, weightDecay: 0.01 });
  const [index, target] = [tensor(x, { shape: [batch, block] }), tensor(y)];
  const step = () => {
    const loss = crossEntropy(model.forward(index).reshape([-1, vocabulary]), target);
    rule.zeroGrad();
    loss.backward();
    rule.step();
    return loss;
  };
  return { value: [1, 2, 3].map(() => step().item()), run: repeat(step) };
}

export const cases = { gpt };
