// One optimizer step on one parameter: a contiguous run of n elements, with the state updated in place.
#pragma once
#include <cstdint>

namespace nabla {

struct SgdNumbers {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, first;  // first: the momentum buffer takes the gradient as it is
};
// momentum_buffer may be null where momentum is 0.
using SgdFn = void (*)(void* parameter, const void* gradient, void* momentum_buffer, int64_t n, const SgdNumbers&);

struct AdamNumbers {
  double lr, beta1, beta2, eps, weight_decay;
  double correction1, root_correction2;  // 1 - beta1^step, sqrt(1 - beta2^step)
  bool decoupled;                   // AdamW: the decay acts on the parameter, not on the gradient
};
using AdamFn = void (*)(void* parameter, const void* gradient, void* m, void* v, int64_t n, const AdamNumbers&);

struct RmspropNumbers {
  double lr, alpha, eps, weight_decay, momentum;
};
// momentum_buffer and mean may be null: no momentum, not centered.
using RmspropFn = void (*)(void* parameter, const void* gradient, void* squares, void* momentum_buffer, void* mean,
                           int64_t n, const RmspropNumbers&);

struct AdagradNumbers {
  double lr, weight_decay, eps, start;
  bool first;  // the sum of squares begins at `start`
};
using AdagradFn = void (*)(void* parameter, const void* gradient, void* sum, int64_t n, const AdagradNumbers&);

struct LionNumbers {
  double lr, beta1, beta2, weight_decay;
};
using LionFn = void (*)(void* parameter, const void* gradient, void* mean, int64_t n, const LionNumbers&);

// out[i] = sum over s of weights[s] * sources[s][i], in order of s.
using WeightedSumFn = void (*)(void* out, const void* const* sources, const double* weights, int64_t count, int64_t n);

struct OptimTable {
  SgdFn sgd[2];  // float32, float64
  AdamFn adam[2];
  RmspropFn rmsprop[2];
  AdagradFn adagrad[2];
  LionFn lion[2];
  WeightedSumFn weighted_sum[2];
};

}  // namespace nabla
