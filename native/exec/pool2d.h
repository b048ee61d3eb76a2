#pragma once
#include "exec/call.h"

namespace nabla {

// Where in its plane the largest element under the window is: out int32 [.., oh, ow], in x [.., h, w], contiguous. The
// first among equals; NaN is largest. attrs: strides, paddings, dilations, sizes of the window (two each).
Status run_max_pool2d_indices(const Call& call);

}  // namespace nabla
