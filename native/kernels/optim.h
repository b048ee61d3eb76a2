// One optimizer step on one parameter: a contiguous run of n elements, with the state updated in place.
#pragma once
#include <cstdint>

namespace nabla {

// state: the buffers of the parameter, null where it has none. numbers: the attributes of the call.
using StepFn = void (*)(void* parameter, const void* gradient, void* const* state, int64_t n, const double* numbers);
// out[i] = sum over s of weights[s] * sources[s][i], in order of s.
using WeightedSumFn = void (*)(void* out, const void* const* sources, const double* weights, int64_t count, int64_t n);

constexpr int kMostBuffers = 3;  // of a parameter

struct OptimTable {
  const StepFn (*step)[2];  // float32, float64; rows in the order of list.def
  WeightedSumFn weighted_sum[2];
};

}  // namespace nabla
