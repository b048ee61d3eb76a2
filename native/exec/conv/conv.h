#pragma once
#include "exec/call.h"

namespace nabla {

// Contiguous float tensors x [n, c, h, w], weight [o, c / groups, rows, cols], y [n, o, oh, ow] with y = conv(x,
// weight). attrs: strides, paddings, dilations (two each), groups. Each of the three is linear in the other two: out y;
// in x, weight.
Status run_conv2d(const Call& call);
// out x; in y, weight: the transpose in x.
Status run_conv2d_input(const Call& call);
// out weight; in y, x: the transpose in the weight.
Status run_conv2d_weight(const Call& call);

}  // namespace nabla
