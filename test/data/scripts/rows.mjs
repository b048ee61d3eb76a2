import { arange, TensorDataset } from "nabla";

export default new TensorDataset(arange(20).reshape([10, 2]), arange(10));
