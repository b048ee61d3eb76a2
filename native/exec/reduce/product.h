// Products of floats whose partial products leave the range of the dtype.
#pragma once
#include "exec/call.h"

namespace nabla {

// Computes the products of a call once more, with exponents of their own, and replaces those that were wrong by more
// than rounding.
Status product_again(const Call& call);
// out[i] = the product of the other elements that are reduced with x[i], times the g of their result, where the
// dimensions are neighbors. in: g, x. attrs: [mask].
Status run_product_backward(const Call& call);

}  // namespace nabla
