// Rows of `n` contiguous elements: softmax, its logarithm, and cross-entropy fused with them. float32 and float64.
// After results that went past the cache, runtime/memory.h's end_streaming() is to follow.
#pragma once
#include <cstdint>

namespace nabla {

// y = exp(x - max) / sum, or x - max - log(sum). Where `work` has room for a row, y goes past the cache.
using SoftmaxFn = void (*)(void* y, const void* x, void* work, int64_t n);
// softmax: dx = y * (g - sum(g * y)); logSoftmax: dx = g - exp(y) * sum(g).
using SoftmaxBackwardFn = void (*)(void* dx, const void* g, const void* y, bool past_cache, int64_t n);
// log(sum(exp(x))), as one element.
using LogSumExpFn = void (*)(void* out, const void* x, int64_t n);
// dx = (softmax(x) - onehot(target)) * scale, with the row's log-sum-exp given.
using CrossEntropyBackwardFn = void (*)(void* dx, const void* x, const void* lse, int64_t target, double scale,
                                        bool past_cache, int64_t n);

struct SoftmaxTable {
  SoftmaxFn softmax[2];
  SoftmaxFn log_softmax[2];
  SoftmaxBackwardFn softmax_backward[2];
  SoftmaxBackwardFn log_softmax_backward[2];
  LogSumExpFn logsumexp[2];
  CrossEntropyBackwardFn cross_entropy_backward[2];
};

}  // namespace nabla
