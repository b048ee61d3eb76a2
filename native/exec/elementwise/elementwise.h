// Runs elementwise kernels on broadcast, strided and mixed-dtype operands, in tiles and on threads.
#pragma once
#include "exec/call.h"
#include "kernels/elementwise.h"

namespace nabla {

// attrs: [the dtype to compute in]. Inputs broadcast to the output's shape.
Status run_elementwise(const Call& call, int kernel);
// The kernel on its operands, output first, computing in `type`.
Status elementwise(Elementwise kernel, DType type, const View* operands);
// out = in, converted to out's dtype, any layout on both sides.
Status copy(const View& out, const View& in);

}  // namespace nabla
