// One optimizer step on one parameter: a contiguous run of n elements, with the state updated in place.
#pragma once
#include <cstdint>

namespace nabla {

// state: the buffers of the parameter, null where it has none. numbers: the attributes of the call.
using StepFn = void (*)(void* parameter, const void* gradient, void* const* state, int64_t n, const double* numbers);
// out[i] = sum over s of weights[s] * sources[s][i], in order of s.
using WeightedSumFn = void (*)(void* out, const void* const* sources, const double* weights, int64_t count, int64_t n);

enum class Optimizer : int32_t {
#define OPTIMIZER(name, Functor, least, most, numbers) name,
#include "kernels/list.def"
};

struct OptimizerInfo {
  const char* name;
  int least, most;  // buffers of a parameter
  int numbers;
};

constexpr OptimizerInfo kOptimizers[] = {
#define OPTIMIZER(name, Functor, least, most, numbers) {#name, least, most, numbers},
#include "kernels/list.def"
};
constexpr int kOptimizerCount = sizeof kOptimizers / sizeof *kOptimizers;
constexpr int kMostBuffers = 3;

struct OptimTable {
  StepFn step[kOptimizerCount][2];  // float32, float64
  WeightedSumFn weighted_sum[2];
};

}  // namespace nabla
