#pragma once
#include "exec/call.h"

namespace nabla {

// Copies that check each value on the way. The first one refused, in row-major order, is the status's detail; what has
// been written by then is undefined. x has any layout, out is contiguous and of the same shape.

// out = x, in an integer or bool dtype that must hold each element exactly. ERR_DTYPE; the detail of a float is its
// bits as a double.
Status run_exactly(const Call& call);
// out = x, of a float or half dtype, where low <= x <= high, and never NaN. ERR_ARGUMENT; the detail is the bits of a
// double. attrs: [low, high], which the dtype holds (of halves, float32).
Status run_within(const Call& call);
// out[i] = x[i], plus the size where x[i] < 0: int64 of any integer dtype. ERR_INDEX unless -size <= x[i] < size.
// attrs: [size].
Status run_places(const Call& call);
// out = x in float64, of any float or half dtype: rows of weights to draw from, finite and not negative, at least
// `least` of a row above 0. ERR_ARGUMENT: of operand 1 for a weight, whose bits as a double are the detail; of operand
// 0 for a row, with the smallest number of weights above 0. attrs: [least].
Status run_weights(const Call& call);

}  // namespace nabla
