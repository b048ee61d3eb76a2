#pragma once
#include "exec/call.h"
#include "kernels/reduce.h"
#include "kernels/stamp.h"

namespace nabla {

// Reduces the dimensions in a bit mask. attrs: [mask], and in floating point a divisor that the result, of norm its
// square, is divided by before it is rounded. The output's dtype is the one in which it accumulates; its shape may keep
// the reduced dimensions as 1.
Status run_reduce(const Call& call, int kernel);
// int32 indices along one dimension. attrs: [dim].
Status run_arg_reduce(const Call& call, int kernel);

extern const ListStamp reduce_stamp;

// For other drivers, which need not know the numbers of list.def: the mean of the squares of all elements.
Status mean_square(const View& out, const View& x, Workspace& workspace);
// The root of the sum of squares; operands and attrs as in run_reduce.
Status length(const Call& call);
// The leaves of sums, and of roots of sums of squares.
const ReduceLeaf& sum_leaf(DType type);
const ReduceLeaf& norm_leaf(DType type);

}  // namespace nabla
