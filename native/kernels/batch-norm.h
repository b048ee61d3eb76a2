// Normalizes channels of [images, channels, size] to mean 0 and variance 1. Kernels process channels [first, last).
#pragma once
#include <cstdint>

namespace nabla {

struct ChannelBlock {
  int64_t images, channels, size, first, last;
};

// Where a channel's mean is so far from 0, a difference from it may overflow T. Functions whose names end in "far"
// process such channels alone, in double.
template <class T>
constexpr T kFarMean = sizeof(T) == 4 ? T(0x1p100f) : T(0x1p1000);
template <class T>
constexpr bool is_far(T mean) {
  return mean >= kFarMean<T> || mean <= -kFarMean<T>;
}

// Mean and variance of each channel, and 1 / sqrt(variance + eps), which also fits where the variance does not.
using ChannelMomentsFn = void (*)(const ChannelBlock& block, void* mean, void* variance, void* rate, const void* x,
                                  double eps);
// rate = weight / sqrt(variance + eps); the weight may be null.
using ChannelRatesFn = void (*)(const ChannelBlock& block, void* rate, const void* variance, const void* weight,
                                double eps);
// weighed = rate * weight.
using ChannelWeighFn = void (*)(const ChannelBlock& block, void* weighed, const void* rate, const void* weight);
// y = (x - mean) * rate + bias.
using ChannelScaleFn = void (*)(const ChannelBlock& block, void* y, const void* x, const void* mean, const void* rate,
                                const void* bias);
// With s the standardized x and rate = 1 / sqrt(variance + eps): dw = sum of g * s, db = sum of g.
using ChannelSumsFn = void (*)(const ChannelBlock& block, void* dw, void* db, const void* g, const void* x,
                               const void* mean, const void* rate);
// dx = weight * rate * (g - mean(g) - s * mean(g * s)), with these sums over `size` elements of each channel.
using ChannelSlopesFn = void (*)(const ChannelBlock& block, void* dx, const void* g, const void* x, const void* mean,
                                 const void* rate, const void* weight, const void* dw, const void* db, double size);

struct BatchNormTable {
  ChannelMomentsFn moments[2];
  ChannelRatesFn rates[2];
  ChannelWeighFn weigh[2];
  ChannelScaleFn scale[2];
  ChannelScaleFn scale_far[2];
  ChannelSumsFn sums[2];
  ChannelSlopesFn slopes[2];
  ChannelSlopesFn slopes_far[2];
};

}  // namespace nabla
