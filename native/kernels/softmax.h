// Rows of `n` contiguous elements: softmax, log-softmax, and fused cross-entropy. float32 and float64. After streaming
// stores, runtime/memory.h's end_streaming() must follow.
#pragma once
#include <cstdint>

namespace nabla {

// y = exp(x - max) / sum, or x - max - log(sum). Where `work` has room for a row, y is written by streaming stores.
using SoftmaxFn = void (*)(void* y, const void* x, void* work, int64_t n);
// softmax: dx = y * (g - sum(g * y)); logSoftmax: dx = g - exp(y) * sum(g).
using SoftmaxBackwardFn = void (*)(void* dx, const void* g, const void* y, bool streaming, int64_t n);
// weight[0] = max, or 0 where that is infinite, and weight[1] = log(sum(exp(x - weight[0]))); the latter keeps its
// digits near 0 where the target, if it is not -1, is the largest.
using RowWeightFn = void (*)(void* weight, const void* x, int64_t target, int64_t n);
// dx = (softmax(x) - onehot(target)) * scale, with the row's weight given; no onehot where the target is -1.
using CrossEntropyBackwardFn = void (*)(void* dx, const void* x, const void* weight, int64_t target, double scale,
                                        bool streaming, int64_t n);

struct SoftmaxTable {
  SoftmaxFn softmax[2];
  SoftmaxFn log_softmax[2];
  SoftmaxBackwardFn softmax_backward[2];
  SoftmaxBackwardFn log_softmax_backward[2];
  RowWeightFn row_weight[2];
  CrossEntropyBackwardFn cross_entropy_backward[2];
};

}  // namespace nabla
