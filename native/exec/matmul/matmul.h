#pragma once
#include "exec/call.h"

namespace nabla {

// out[.., m, n] = a[.., m, k] · b[.., k, n]; the leading dimensions broadcast.
Status run_matmul(const Call& call);
// out = x + a · b, where x has the shape of out and contiguous rows; it may be out itself.
Status run_addmm(const Call& call);
// out[.., out] = x[.., in] · weight[out, in]ᵀ + bias[out].
Status run_linear(const Call& call);
// The same for floats, followed by relu.
Status run_linear_relu(const Call& call);

}  // namespace nabla
