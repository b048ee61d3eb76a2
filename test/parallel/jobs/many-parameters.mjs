import { cat, defineJob, nn, zeros } from "nabla";

class Scalars extends nn.Module {
  scalars = Array.from({ length: 12_000 }, () => new nn.Parameter(zeros([1])));
}

export default defineJob({
  model: () => new Scalars(),
  loss: (model, [x]) => x.mean(0).mul(cat(model.scalars)).sum(),
});
