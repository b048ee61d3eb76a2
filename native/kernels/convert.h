// Copies between dtypes and strides: what brings any operand into the contiguous tiles that the other leaves want.
#pragma once
#include <cstdint>

#include "base/dtype.h"

namespace nabla {

// out[i] = dtype(in[i * stride]) for i < n. Floats go to integers towards zero, held at the ends, NaN to 0.
using ConvertFn = void (*)(void* out, const void* in, int64_t stride, int64_t n);
// out[i * stride] = in[i], one dtype.
using ScatterFn = void (*)(void* out, int64_t stride, const void* in, int64_t n);

struct ConvertTable {
  ConvertFn gather[kDTypeCount][kDTypeCount];  // [to][from]
  ScatterFn scatter[kDTypeCount];
};

}  // namespace nabla
