import { install } from "../ops/methods.js";
import { type SharedTensor, share } from "./share.js";

install("share", share);

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** Describes the tensor for another thread of this process; see {@link share}. */
    share(): SharedTensor;
  }
}
