// A view of memory: dtype, shape, strides (in elements) and the first element. Nothing here allocates.
#pragma once
#include <cstdint>

#include "base/dtype.h"

namespace nabla {

constexpr int kMaxRank = 16;

struct View {
  void* data = nullptr;  // the element at index 0, 0, ...: the offset is already applied
  DType dtype = DType::F32;
  int32_t rank = 0;
  int64_t dims[kMaxRank];
  int64_t strides[kMaxRank];
  // A number operand: data points at its value, already in dtype, rank is 0.
  bool scalar = false;

  int64_t numel() const {
    int64_t n = 1;
    for (int i = 0; i < rank; i++) n *= dims[i];
    return n;
  }
  bool contiguous() const {
    int64_t expected = 1;
    for (int i = rank - 1; i >= 0; i--) {
      if (dims[i] == 0) return true;
      if (dims[i] != 1 && strides[i] != expected) return false;
      expected *= dims[i];
    }
    return true;
  }
  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
};

inline bool same_shape(const View& a, const View& b) {
  if (a.rank != b.rank) return false;
  for (int i = 0; i < a.rank; i++)
    if (a.dims[i] != b.dims[i]) return false;
  return true;
}

// Makes a number operand.
inline View number(DType type, const void* value) {
  View v;
  v.data = const_cast<void*>(value);
  v.dtype = type;
  v.rank = 0;
  v.scalar = true;
  return v;
}

inline void set_contiguous(View& v) {
  int64_t stride = 1;
  for (int i = v.rank - 1; i >= 0; i--) {
    v.strides[i] = stride;
    stride *= v.dims[i] > 0 ? v.dims[i] : 1;
  }
}

}  // namespace nabla
