#pragma once
#include "exec/call.h"

namespace nabla {

// All operate on the last dimension of contiguous float tensors. Halves are computed in float32 and rounded once.
Status run_softmax(const Call& call);
Status run_log_softmax(const Call& call);
// in: g, y (the forward result). attrs: perhaps [whether x is given in place of y].
Status run_softmax_backward(const Call& call);
Status run_log_softmax_backward(const Call& call);

}  // namespace nabla
