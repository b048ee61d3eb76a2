#pragma once
#include "exec/call.h"

namespace nabla {

// log(sum(exp(x))) over the dimensions in a bit mask, float32 and float64; reads halves as float32. attrs: [mask].
Status run_log_sum_exp(const Call& call);
// Its gradient, where the dimensions are neighbors. in: g, with one element for each result, x. attrs: [mask].
Status run_log_sum_exp_backward(const Call& call);

}  // namespace nabla
