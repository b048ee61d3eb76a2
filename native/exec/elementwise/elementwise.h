// Runs elementwise kernels on broadcast, strided and mixed-dtype operands, in tiles and on threads.
#pragma once
#include "exec/call.h"
#include "kernels/stamp.h"

namespace nabla {

// attrs: [the dtype to compute in]. Inputs broadcast to the output's shape.
Status run_elementwise(const Call& call, int kernel);
extern const ListStamp elementwise_stamp;

// For other drivers, which need not know the numbers of list.def. All compute in out's dtype and take any layout.
Status copy(const View& out, const View& x);  // out = x
Status absolute(const View& out, const View& x);
Status subtract(const View& out, const View& x, const View& y);
Status multiply(const View& out, const View& x, const View& y);
// x[i] = log x[i], contiguous.
void take_log(double* x, int64_t n);

}  // namespace nabla
