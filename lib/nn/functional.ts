/** The computations of the layers, as functions that take the parameters as arguments. */
export { elu, gelu, leakyRelu, logSigmoid, mish, silu, softplus } from "../ops/activation.js";
export { scaledDotProductAttention } from "../ops/attention.js";
export { batchNorm } from "../ops/batch-norm.js";
export { conv1d, conv2d, convTranspose2d } from "../ops/conv.js";
export { crossEntropy, nllLoss } from "../ops/cross-entropy.js";
export { embedding, oneHot } from "../ops/lookup.js";
export {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  huberLoss,
  klDiv,
  l1Loss,
  mseLoss,
} from "../ops/losses.js";
export { linear } from "../ops/matmul.js";
export { groupNorm, layerNorm, rmsNorm } from "../ops/norm.js";
export { adaptiveAvgPool2d, avgPool2d, maxPool2d } from "../ops/pool.js";
export { dropout } from "../ops/random.js";
export { gru, lstm } from "../ops/recurrent.js";
export { pad } from "../ops/repeat.js";
export {
  type CosineSimilarityOptions,
  cosineSimilarity,
  type NormalizeOptions,
  normalize,
} from "../ops/similarity.js";
export { logSoftmax, softmax } from "../ops/softmax.js";
export { relu, sigmoid, tanh } from "../ops/unary.js";
