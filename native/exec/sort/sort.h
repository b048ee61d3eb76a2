#pragma once
#include "exec/call.h"

namespace nabla {

// The indices that sort the elements along one dimension, or the first few of them: stable, NaN above every number,
// int32; as a second result, the sorted elements.
// attrs: [dim, descending].
Status run_order(const Call& call);
// How many elements of a sorted row (its last dimension) are below each value, or with `right` not above it. in:
// sorted, whose leading dimensions are the last of those of the values; values. int32. attrs: [right].
Status run_searchsorted(const Call& call);

}  // namespace nabla
