#pragma once
#include "exec/call.h"

namespace nabla {

// Along one dimension, from first to last; float32 accumulates in double. dtypes: float32, float64, int64. attrs:
// [dim]. out[j] = out[j - 1] + x[j].
Status run_cumsum(const Call& call);
// out[j] = out[j - 1] x[j], also where out[j - 1] does not fit the dtype.
Status run_cumprod(const Call& call);
// out[j] = a[j] out[j - 1] + b[j], out[0] = b[0]. in: a, b.
Status run_linear_scan(const Call& call);

}  // namespace nabla
