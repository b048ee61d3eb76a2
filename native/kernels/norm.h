// `rows` rows of `n` elements, all contiguous, brought to mean 0 and mean square 1, or (not `centred`) to mean square 1
// alone. Streaming stores need rows of whole cache lines; runtime/memory.h's end_streaming() is
// to follow.
#pragma once
#include <cstdint>

namespace nabla {

// y = (x - mean) * rstd, with rstd = 1 / sqrt(mean square + eps); optionally * weight and + bias.
using StandardizeFn = void (*)(void* y, const void* x, const void* weight, const void* bias, double eps, bool centred,
                               bool streaming, int64_t rows, int64_t n);
// dx = rstd * (g - mean(g) - y * mean(g * y)); without mean(g) where rows are not centred.
using StandardizeBackwardFn = void (*)(void* dx, const void* g, const void* x, double eps, bool centred, bool streaming,
                                       int64_t rows, int64_t n);
// The same with a weight: g * weight replaces g. Also adds the rows' contributions to the gradients of weight and bias,
// sums of g * y and of g.
using ScaledBackwardFn = void (*)(void* dx, const void* g, const void* x, const void* weight, void* by_weight,
                                  void* by_bias, double eps, bool centred, bool streaming, int64_t rows, int64_t n);

struct NormTable {
  StandardizeFn standardize[2];
  StandardizeBackwardFn backward[2];
  ScaledBackwardFn scaled_backward[2];
};

}  // namespace nabla
