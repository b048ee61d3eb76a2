#pragma once
#include "exec/call.h"

namespace nabla {

// The position in its plane of the largest element in the window: out int32 [.., oh, ow], in x [.., h, w], contiguous.
// The first among equals; NaN is largest. attrs: strides, paddings, dilations, sizes of the window (two each).
Status run_max_pool2d_indices(const Call& call);

// The sum over the window, divided by a divisor: out [.., oh, ow], in x [.., h, w], floats, contiguous; and its
// transpose, out [.., h, w], in [.., oh, ow]. Columns are summed first, from the top. attrs as above, with dilations of
// 1, and the divisor.
Status run_avg_pool2d(const Call& call);
Status run_avg_pool2d_backward(const Call& call);

}  // namespace nabla
