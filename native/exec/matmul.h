#pragma once
#include "exec/call.h"

namespace nabla {

// out[.., m, n] = a[.., m, k] · b[.., k, n]; the leading dimensions broadcast.
Status run_matmul(const Call& call);
// out = x + a · b, where x has the shape of out and rows in one piece; it may be out itself.
Status run_addmm(const Call& call);
// out[.., out] = x[.., in] · weight[out, in]ᵀ + bias[out].
Status run_linear(const Call& call);
// The same, of floats, and 0 where that is less.
Status run_linear_relu(const Call& call);

}  // namespace nabla
