// A job that the fuzzer computes inline, and gives to what takes jobs.
import { defineJob, isTensor, nn, ones } from "../../../dist/index.js";

export default defineJob({
  model: () => new nn.Sequential(new nn.Linear(3, 2), new nn.Dropout(0.5)),
  loss: (model, x) => model.forward(isTensor(x) ? x : ones([1, 3])).mean(),
  data: () => ({ train: [ones([3]), ones([3])] }),
  epochs: 1,
});
