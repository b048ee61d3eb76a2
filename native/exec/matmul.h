#pragma once
#include "exec/call.h"

namespace nabla {

// out[.., m, n] = a[.., m, k] · b[.., k, n] (+ bias[n]); the leading dimensions broadcast.
Status run_matmul(const Call& call);
// out[.., out] = x[.., in] · weight[out, in]ᵀ + bias[out].
Status run_linear(const Call& call);

}  // namespace nabla
