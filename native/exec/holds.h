#pragma once
#include "base/layout.h"

namespace nabla {

// Whether every element of a view, of any layout but no half, is an integer that the dtype, an integer one or bool,
// holds.
bool holds_all(DType type, const View& x);

}  // namespace nabla
