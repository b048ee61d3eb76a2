/** The methods that need the derivative machinery. */
import { install, type Method } from "../ops/methods.js";
import * as methods from "./methods.js";

install("backward", methods.backward);
install("registerHook", methods.registerHook);
install("retainGrad", methods.retainGrad);

declare module "../tensor/tensor.js" {
  interface Tensor {
    /** Computes the gradients of every leaf that requires grad; see {@link methods.backward}. */
    backward: Method<typeof methods.backward>;
    /** Calls a function with each gradient of this tensor; see {@link methods.registerHook}. */
    registerHook: Method<typeof methods.registerHook>;
    /** Keeps the gradient of a non-leaf tensor in `grad`; see {@link methods.retainGrad}. */
    retainGrad: Method<typeof methods.retainGrad>;
  }
}
