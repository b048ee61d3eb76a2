#pragma once
#include "exec/call.h"

namespace nabla {

// out = mean((x - y)^2), one element, from two float tensors of one shape.
Status run_mse(const Call& call);
// out = g * 2 (x - y) / n. in: g (one element), x, y.
Status run_mse_backward(const Call& call);

}  // namespace nabla
