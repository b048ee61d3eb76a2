// Runs elementwise kernels on broadcast, strided and mixed-dtype operands, in tiles and on threads.
#pragma once
#include "exec/call.h"

namespace nabla {

// attrs: [the dtype to compute in]. Inputs broadcast to the output's shape.
Status run_elementwise(const Call& call, int kernel);
// out = in, converted to out's dtype, any layout on both sides.
Status copy(const View& out, const View& in);

}  // namespace nabla
