// Another model than a stack of layers: two inputs in a tree with numbers among its leaves, a residual branch, a weight
// used in two places, a parameter that the loss does not depend on, and one that only some shards use.
import { defineJob, nn, ones, zeros } from "nabla";

class Residual extends nn.Module {
  left = new nn.Linear(4, 6);
  right = new nn.Linear(4, 6);
  tied = [new nn.Linear(6, 6), new nn.Linear(6, 6)];
  unused = new nn.Parameter(ones([3]));
  sometimes = new nn.Parameter(zeros([]));
  head = new nn.Linear(6, 1);

  constructor() {
    super();
    this.tied[1].weight = this.tied[0].weight;
  }
  forward(a, b) {
    let h = this.left.forward(a).tanh().add(this.right.forward(b).sigmoid());
    for (const layer of this.tied) h = layer.forward(h).relu().add(h);
    return this.head.forward(h).squeeze(1);
  }
}

export default defineJob({
  model: () => new Residual(),
  loss: (model, { x: { a, b }, y, scale }) => {
    const loss = model.forward(a, b).sub(y).square().mean().mul(scale);
    return y.amax().item() > 0.9 ? loss.add(model.sometimes) : loss;
  },
});
