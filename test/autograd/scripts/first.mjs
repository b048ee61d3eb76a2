// The first derivatives of a process, taken where what is made is disposed of or goes through an interceptor.
import { detectAnomaly, grad, inference, nn, noGrad, scope, tensor, vmap } from "../../../dist/index.js";

const first = {
  scope: (f) => scope(() => void f()),
  "scope in scope": (f) => scope(() => scope(() => void f())),
  vmap: (f) => {
    vmap((x) => {
      f();
      return x;
    })(tensor([1, 2]));
  },
  detectAnomaly: (f) => detectAnomaly(() => void f()),
  noGrad: (f) => noGrad(() => void f()),
  inference: (f) => inference(new nn.ReLU(), () => void f()),
};

const derivatives = (dtype) => {
  const x = tensor([1, 2], { dtype, requiresGrad: true });
  const slope = grad((x) => x.square().sum())(x.detach());
  if (process.argv[3] === "backward") x.square().sum().backward();
  return [slope.toArray(), x.grad?.toArray() ?? null];
};
const all = () => ["float32", "float64", "bfloat16", "float16"].map(derivatives);
first[process.argv[2]](all);
console.log(JSON.stringify([all(), all()]));
