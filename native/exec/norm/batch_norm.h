#pragma once
#include "exec/call.h"

namespace nabla {

// in: x [n, channels, ..], contiguous, weight and bias [channels], and perhaps moments [2, channels], mean and variance
// of each channel. out: (x - mean) * weight / sqrt(variance + eps) + bias; and without moments among the inputs perhaps
// x's own. attrs: eps.
Status run_batch_norm(const Call& call);
// in: the gradient of the result, x, weight, x's own moments. out: the gradients of x, weight and bias. attrs: eps.
Status run_batch_norm_backward(const Call& call);

}  // namespace nabla
