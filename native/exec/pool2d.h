#pragma once
#include "exec/call.h"

namespace nabla {

// Where in its plane the largest element under the window is: out int32 [.., oh, ow], in x [.., h, w], contiguous. The
// first among equals; NaN is largest. attrs: strides, paddings, dilations, sizes of the window (two each).
Status run_max_pool2d_indices(const Call& call);

// What the window sees added up, over a divisor: out [.., oh, ow], in x [.., h, w], floats, contiguous; and the
// transpose, out [.., h, w], in [.., oh, ow]. Columns are added up first, each from the top. attrs as above, dilations
// of 1, and the divisor.
Status run_avg_pool2d(const Call& call);
Status run_avg_pool2d_backward(const Call& call);

}  // namespace nabla
