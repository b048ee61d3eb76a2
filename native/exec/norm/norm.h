#pragma once
#include "exec/call.h"

namespace nabla {

// On the last dimension of contiguous float tensors, see kernels/norm.h. Halves are computed in float32 and rounded
// once. attrs: [eps, centred].
// in: x, and optionally weight and bias of its last size.
Status run_standardize(const Call& call);
// in: g, x.
Status run_standardize_backward(const Call& call);
// in: g, x, weight. out: the gradients of x, of the weight and of a bias.
Status run_scaled_norm_backward(const Call& call);

}  // namespace nabla
