// Points with noise, for the workers of a loader; the same as test/train/sources.test.ts makes.
import { randn, tensor } from "nabla";

export default {
  length: 23,
  at: (i, { random }) => [randn([3], { generator: random }).add(i), tensor(i % 3, { dtype: "int64" })],
};
