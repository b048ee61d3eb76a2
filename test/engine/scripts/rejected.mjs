// Functions that must be synchronous get one that fails later: the error is caught, so the process goes on.
import {
  checkpoint,
  customFunction,
  detectAnomaly,
  grad,
  gradcheck,
  hessian,
  hvp,
  inference,
  jacfwd,
  jacobian,
  jacrev,
  jvp,
  nn,
  noGrad,
  ones,
  optim,
  scope,
  tensor,
  valueAndGrad,
  vjp,
  vmap,
} from "../../../dist/index.js";

const late = async () => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  throw new Error("too late");
};
const x = tensor([1, 2], { dtype: "float64" });
const model = new nn.Linear(2, 1);
const custom = (parts) =>
  customFunction({ name: "custom", forward: (x) => [x.square(), x], backward: (x, g) => [g.mul(x)], ...parts });
let calls = 0;
const lateTheSecondTime = (x) => (calls++ % 2 === 0 ? x.square().sum() : late());
const hooked = (register) => {
  const layer = new nn.Linear(2, 1);
  layer[register](late);
  layer.forward(ones([1, 2]));
};
const hookedTensor = () => {
  const leaf = tensor([1], { requiresGrad: true });
  leaf.registerHook(late);
  leaf.sum().backward();
};

const cases = {
  scope: () => scope(late),
  noGrad: () => noGrad(late),
  inference: () => inference(model, late),
  detectAnomaly: () => detectAnomaly(late),
  grad: () => grad(late)(x),
  "grad with aux": () => grad(() => [late(), 1], { hasAux: true })(x),
  valueAndGrad: () => valueAndGrad(late)(x),
  vjp: () => vjp(late, x),
  jvp: () => jvp(late, [x], [x]),
  hvp: () => hvp(late, [x], [x]),
  jacrev: () => jacrev(late)(x),
  jacfwd: () => jacfwd(late)(x),
  jacobian: () => jacobian(late)(x),
  hessian: () => hessian(late)(x),
  vmap: () => vmap(late)(x),
  gradcheck: () => gradcheck(late, x),
  checkpoint: () => checkpoint(late, x),
  "checkpoint, the second time": () => grad((x) => checkpoint(lateTheSecondTime, x))(x),
  "forward of a customFunction": () => custom({ forward: late })(x),
  "backward of a customFunction": () => grad((x) => custom({ backward: late })(x).sum())(x),
  "jvp of a customFunction": () => jvp(custom({ jvp: late }), [x], [x]),
  "jvp of a customFunction in vmap": () => vmap((x) => jvp(custom({ jvp: late }), [x], [x])[1])(x),
  "backward of a customFunction in vmap": () => vmap(grad((x) => custom({ backward: late })(x)))(x),
  "transposed backward of a customFunction": () => jvp(custom({ backward: late }), [x], [x]),
  "step of an optimizer": () => new optim.SGD(model.parameters(), { lr: 0.1 }).step(late),
  "step of LBFGS": () => new optim.LBFGS(model.parameters()).step(late),
  LambdaLR: () => new optim.LambdaLR(new optim.SGD(model.parameters(), { lr: 0.1 }), { lrLambda: late }),
  "hook of a tensor": hookedTensor,
  "hook before forward": () => hooked("registerForwardPreHook"),
  "hook after forward": () => hooked("registerForwardHook"),
};

const codes = {};
for (const [name, run] of Object.entries(cases)) {
  try {
    run();
    codes[name] = "nothing was thrown";
  } catch (error) {
    codes[name] = error.code ?? String(error);
  }
}
// Long enough for every promise to have been rejected.
await new Promise((resolve) => setTimeout(resolve, 100));
console.log(JSON.stringify(codes));
