#pragma once
#include "exec/call.h"

namespace nabla {

// Over the dimensions in a bit mask, float32 (in double) and float64; reads halves as float32. attrs: [mask, divisor].
Status run_variance(const Call& call);
Status run_deviation(const Call& call);
// Their gradients, and that of `norm`, where the dimensions are neighbors. in: g, with one element for each result, x,
// and of deviations and norms the results. attrs: [mask, divisor].
Status run_variance_backward(const Call& call);
Status run_deviation_backward(const Call& call);
Status run_norm_backward(const Call& call);

}  // namespace nabla
