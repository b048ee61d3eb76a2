/** What the type checker must catch, and what it must let pass. Compiled by `npm run check`, never run. */
import { grad, jacrev, jvp, nn, optim, type Tensor, tensor, valueAndGrad, vjp, vmap, zeros } from "nabla";

const x: Tensor = tensor([1, 2]);

// Arguments that are not annotated are tensors.
// @ts-expect-error a misspelt op
grad((a) => a.sinn());
// @ts-expect-error
valueAndGrad((a) => a.sinn());
// @ts-expect-error
vjp((a) => a.sinn(), x);
// @ts-expect-error
jvp((a) => a.sinn(), [x], [x]);
// @ts-expect-error
jacrev((a) => a.sinn());
// @ts-expect-error
vmap((a) => a.sinn());
const slope: Tensor = grad((a) => a.sin())(1);
const both: Tensor = grad((a, b) => a.mul(b))(slope, 2);
const curvature: Tensor = grad(grad((a) => a.sin()))(both);
const inTree: { w: Tensor } = grad((p: { w: Tensor }) => p.w.sum())({ w: curvature });
inTree.w.item();

// A list of modules can be called, whatever its entries take.
const layers: nn.Module[] = [new nn.Linear(2, 2), new nn.LSTM(2, 3), new nn.MultiheadAttention(4, 2)];
const output: Tensor = layers[0]!.forward(x);
output.item();
class Gate extends nn.Module {
  override forward(a: Tensor, open: boolean): Tensor | null {
    return open ? a : null;
  }
}
layers.push(new Gate());
// @ts-expect-error a subclass's own signature holds
new Gate().forward(x);
// @ts-expect-error
new nn.Linear(2, 2).forward("text");

{
  using scratch = zeros([3]);
  scratch.item();
}

// Whatever the optimizer, its groups have a learning rate and what schedules keep, and a schedule takes it.
const weights = [tensor([1], { requiresGrad: true })];
const optimizers: optim.Optimizer[] = [new optim.SGD(weights), new optim.Adam(weights), new optim.LBFGS(weights)];
for (const opt of optimizers) {
  opt.paramGroups[0]!.lr *= 0.5;
  const first: number | undefined = opt.paramGroups[0]!.initialLr;
  new optim.StepLR(opt, { stepSize: first ?? 1 });
  // @ts-expect-error a misspelt field
  opt.paramGroups[0]!.initialLR;
  // @ts-expect-error not every optimizer has one
  opt.paramGroups[0]!.momentum;
}
