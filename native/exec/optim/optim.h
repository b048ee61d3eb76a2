#pragma once
#include "exec/call.h"
#include "kernels/stamp.h"

namespace nabla {

// One step over any number of parameters. Outs: all parameters, then all first buffers, all second ones, ...; ins: all
// gradients. attrs:
//   sgd      lr, momentum, dampening, weight decay, nesterov, first; buffer: momentum, if any
//   adam     lr, beta1, beta2, eps, weight decay, step, decoupled; buffers: first and second moments
//   rmsprop  lr, alpha, eps, weight decay, momentum; buffers: mean squares, and where used momentum, mean gradients
//   adagrad  lr, weight decay, eps, start, first; buffer: sums of squares
//   lion     lr, beta1, beta2, weight decay; buffer: mean gradients
Status run_optimizer(const Call& call, int kernel);
// P outs and P * S ins (source s of out p at p * S + s): out = sum over s of weight[s] * source. attrs: the S weights.
Status run_weighted_sum(const Call& call);

extern const ListStamp optim_stamp;

}  // namespace nabla
