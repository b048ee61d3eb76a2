/** The computations of the layers as functions, without their parameters. */
export { elu, gelu, leakyRelu, logSigmoid, mish, silu, softplus } from "../ops/activation.js";
export { embedding, oneHot } from "../ops/lookup.js";
export { binaryCrossEntropyWithLogits, crossEntropy, mseLoss, nllLoss } from "../ops/losses.js";
export { linear } from "../ops/matmul.js";
export { dropout } from "../ops/random.js";
export { pad } from "../ops/repeat.js";
export { logSoftmax, softmax } from "../ops/softmax.js";
export { relu, sigmoid, tanh } from "../ops/unary.js";
