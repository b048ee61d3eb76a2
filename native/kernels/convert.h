// Copies between dtypes and strides: brings any operand into the contiguous tiles that other kernels read.
#pragma once
#include <cstdint>

#include "base/dtype.h"

namespace nabla {

// out[i] = dtype(in[i * stride]) for i < n. Floats to integers truncate and are clamped; NaN becomes 0.
using ConvertFn = void (*)(void* out, const void* in, int64_t stride, int64_t n);
// out[i * stride] = in[i], one dtype.
using ScatterFn = void (*)(void* out, int64_t stride, const void* in, int64_t n);

struct ConvertTable {
  ConvertFn gather[kDTypeCount][kDTypeCount];  // [to][from]
  ScatterFn scatter[kDTypeCount];
};

}  // namespace nabla
