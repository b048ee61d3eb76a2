/**
 * Every op that is also a method of Tensor: its first parameter is the tensor. To give a new op a method, add its name here.
 */
export { elu, gelu, leakyRelu, logSigmoid, mish, silu, softplus } from "./activation.js";
export { argmax, argmin } from "./arg-reduce.js";
export { add, div, lerp, maximum, minimum, mul, pow, sub, where } from "./binary.js";
export { to } from "./cast.js";
export { eq, ge, gt, isfinite, isinf, isnan, le, logicalAnd, logicalNot, logicalOr, lt, ne } from "./compare.js";
export { eigh, lstsq, pinv, qr, svd } from "./decompose.js";
export { diag, diagonal, trace, tril, triu } from "./diagonals.js";
export { max, min } from "./extreme.js";
export { assign, detach, stopGradient } from "./in-place.js";
export { gather, indexAdd, indexSelect, scatter, scatterAdd } from "./index-ops.js";
export { chunk, split, unbind } from "./join.js";
export { logsumexp } from "./logsumexp.js";
export { bincount, embedding, indexPut, oneHot, take } from "./lookup.js";
export { maskedFill, maskedSelect, nonzero } from "./masks.js";
export { addmm, bmm, dot, linear, matmul, outer } from "./matmul.js";
export { multinomial } from "./multinomial.js";
export { movedim, permute, t, transpose } from "./permute.js";
export { prod } from "./prod.js";
export { median, quantile } from "./quantile.js";
export { bernoulli, dropout, randLike, randnLike } from "./random.js";
export { all, amax, amin, any, mean, sum, sumToSize } from "./reduce.js";
export { pad, repeat, repeatInterleave, roll, tile } from "./repeat.js";
export { broadcastTo, contiguous, expand, flatten, reshape, squeeze, unsqueeze, view } from "./reshape.js";
export { cumprod, cumsum } from "./scan.js";
export { searchsorted, unique } from "./search.js";
export { flip, narrow } from "./slice.js";
export { logSoftmax, softmax } from "./softmax.js";
export { cholesky, choleskySolve, det, inv, slogdet, solve, triangularSolve } from "./solve.js";
export { argsort, sort, topk } from "./sort.js";
export { clamp, digamma, erf, erfinv, lgamma, log2, log10, logaddexp, nanToNum, remainder } from "./special.js";
export { acos, acosh, asin, asinh, atan, atan2, atanh, cosh, sinh, tan } from "./trig.js";
export {
  abs,
  ceil,
  clone,
  cos,
  exp,
  expm1,
  floor,
  log,
  log1p,
  neg,
  reciprocal,
  relu,
  round,
  rsqrt,
  sigmoid,
  sign,
  sin,
  sqrt,
  square,
  tanh,
  trunc,
} from "./unary.js";
export { std, variance as var } from "./variance.js";
export { norm } from "./vector-norm.js";
