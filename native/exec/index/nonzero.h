#pragma once
#include "exec/call.h"

namespace nabla {

// Where a mask is true, in row-major order. in: a bool tensor. out, int32: [count] the places counted through, or
// [count, rank] one coordinate for each dimension; count must be the number of true elements.
Status run_nonzero(const Call& call);

}  // namespace nabla
