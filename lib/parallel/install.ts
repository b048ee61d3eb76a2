import { setReaderMaker } from "../data/loader-workers.js";
import { install } from "../ops/methods.js";
import { LoaderReader } from "./loader-reader.js";
import { type SharedTensor, share } from "./share.js";

install("share", share);
setReaderMaker((count, setup) => new LoaderReader(count, setup));

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** Describes the tensor for another thread of this process; see {@link share}. */
    share(): SharedTensor;
  }
}
