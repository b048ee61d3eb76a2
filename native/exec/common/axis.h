// Shared by kernels along one dimension.
#pragma once
#include <type_traits>

#include "exec/call.h"

namespace nabla {

// Dimension `dim` cut out of a contiguous tensor: [outer, size, inner].
struct Cut {
  int64_t outer = 1, size = 1, inner = 1;
};

inline bool cut(const View& v, double dim, Cut& c) {
  if (!(dim >= 0 && dim < v.rank)) return false;
  int at = static_cast<int>(dim);
  for (int d = 0; d < v.rank; d++) (d < at ? c.outer : d == at ? c.size : c.inner) *= v.dims[d];
  return true;
}

// f(T()) with the element type, for kernels that compute; half precision has been converted before.
template <class F>
void with_type(DType t, F&& f) {
  switch (t) {
#define X(id, name, type) \
  case DType::id: f(type()); break;
    NABLA_COMPUTED_DTYPES(X)
#undef X
    default: break;
  }
}

// The same for kernels that only move elements.
template <class F>
void with_stored_type(DType t, F&& f) {
  switch (t) {
#define X(id, name, type) \
  case DType::id: f(type()); break;
    NABLA_DTYPES(X)
#undef X
  }
}

}  // namespace nabla
