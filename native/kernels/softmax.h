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

// log(sum(exp(x))). What may be smaller than 1 is computed in double, and as log1p of the sum of the others where one
// element is the largest. A long row is taken in parts: all of them find its shift, then its sums.
struct LogSumExpLeaf {
  // out[r] for r < rows of n >= 1 elements each.
  void (*rows)(void* out, const void* x, int64_t rows, int64_t n);
  // out[c] for c < columns, from x[r * row_stride + c], r < n.
  void (*columns)(void* out, const void* x, int64_t n, int64_t row_stride, int64_t columns);
  // dx = exp(x) / sum(exp(x)) * g, with a g for each row, or column.
  void (*rows_backward)(void* dx, const void* g, const void* x, bool streaming, int64_t rows, int64_t n);
  void (*columns_backward)(void* dx, const void* g, const void* x, int64_t n, int64_t row_stride, int64_t columns);
  // The largest element; NaN only where the first is.
  double (*top)(const void* x, int64_t n);
  // Of a row of n elements with that top: what exponentials are shifted by, and whether they are added up in double.
  bool (*shift)(double* shift, double top, int64_t n);
  // pair[0] = the sum of exp(x - shift); in double pair[1] of its terms, which equal shift, are left out.
  void (*sums)(double* pair, const void* x, double shift, bool in_double, int64_t n);
  // out[0] = shift + log(pair[0] + pair[1]).
  void (*finish)(void* out, double shift, const double* pair);
};

struct SoftmaxTable {
  SoftmaxFn softmax[2];
  SoftmaxFn log_softmax[2];
  SoftmaxBackwardFn softmax_backward[2];
  SoftmaxBackwardFn log_softmax_backward[2];
  RowWeightFn row_weight[2];
  CrossEntropyBackwardFn cross_entropy_backward[2];
  LogSumExpLeaf log_sum_exp[2];
};

}  // namespace nabla
