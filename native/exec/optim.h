#pragma once
#include "exec/call.h"

namespace nabla {

// One step over any number of parameters. Outs: all parameters, then all momentum buffers (none without momentum);
// ins: all gradients. attrs: [lr, momentum, dampening, weight decay, nesterov, first].
Status run_sgd(const Call& call);
// Outs: all parameters, all first moments, all second moments; ins: all gradients.
// attrs: [lr, beta1, beta2, eps, weight decay, step, decoupled].
Status run_adam(const Call& call);
// Outs: parameters, means of squares, and where used momentum buffers, and means of gradients; ins: gradients.
// attrs: [lr, alpha, eps, weight decay, momentum].
Status run_rmsprop(const Call& call);
// Outs: parameters, sums of squares; ins: gradients. attrs: [lr, weight decay, eps, start, whether it is the first
// step].
Status run_adagrad(const Call& call);
// Outs: parameters, means of gradients; ins: gradients. attrs: [lr, beta1, beta2, weight decay].
Status run_lion(const Call& call);
// P outs and P * S ins (source s of out p at p * S + s): out = sum over s of weight[s] * source. attrs: the S weights.
Status run_weighted_sum(const Call& call);

}  // namespace nabla
