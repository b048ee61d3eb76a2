#pragma once
#include "exec/call.h"

namespace nabla {

// in: logits [rows, classes], target [rows] of integers; out: the loss of each row and, if wanted, the residual output
// for the gradient: most of it, or, where the logits are halves, two numbers of each row. attrs: [ignored target,
// whether the losses are averaged next, or summed].
Status run_cross_entropy(const Call& call);
// out: the residual output, which becomes the gradient of the logits, in place; cheap if g is as expected. in: g
// [rows], logits, target. attrs as above.
Status run_cross_entropy_finish(const Call& call);
// in: g [rows], logits, target and, where the logits are halves, perhaps the residual output; out: the gradient of the
// logits. attrs: [ignored target].
Status run_cross_entropy_backward(const Call& call);

}  // namespace nabla
