// Contiguous tensors in scratch memory.
#pragma once
#include "base/layout.h"
#include "runtime/workspace.h"

namespace nabla {

// Of the shape of a tensor, not yet written; its data are null if there is no memory.
inline View dense_like(const View& x, DType type, Scratch& memory) {
  View dense = x;
  dense.dtype = type;
  dense.scalar = false;
  set_contiguous(dense);
  dense.data = memory.get<char>(x.numel() * static_cast<int64_t>(size_of(type)));
  return dense;
}

}  // namespace nabla
