#include "exec/holds.h"

#include <atomic>
#include <limits>
#include <type_traits>

#include "exec/axis.h"
#include "exec/tuning.h"
#include "runtime/pool.h"

namespace nabla {
namespace {

template <class Target, class T>
bool holds(T x) {
  constexpr Target low = std::numeric_limits<Target>::min(), high = std::numeric_limits<Target>::max();
  if constexpr (std::is_floating_point_v<T>) {
    // The smallest integer that is too large: a power of two, which T represents even if not the largest value.
    constexpr T end = static_cast<T>(high / 2 + 1) * 2;
    if (!(x >= static_cast<T>(low) && x < end)) return false;
    return x == static_cast<T>(static_cast<int64_t>(x));
  } else {
    return static_cast<int64_t>(x) >= static_cast<int64_t>(low) &&
           static_cast<int64_t>(x) <= static_cast<int64_t>(high);
  }
}

template <class Target, class T>
bool all_held(const View& v) {
  const int64_t n = v.numel();
  const bool dense = v.contiguous();
  std::atomic<bool> good{true};
  parallel_for((n + kElementwiseChunk - 1) / kElementwiseChunk, [&](int64_t chunk) {
    const int64_t end = (chunk + 1) * kElementwiseChunk < n ? (chunk + 1) * kElementwiseChunk : n;
    bool held = true;
    for (int64_t i = chunk * kElementwiseChunk; i < end; i++) {
      int64_t at = dense ? i : 0, rest = dense ? 0 : i;
      for (int d = v.rank - 1; rest > 0; d--) {
        at += rest % v.dims[d] * v.strides[d];
        rest /= v.dims[d];
      }
      held &= holds<Target>(v.as<T>()[at]);
    }
    if (!held) good.store(false, std::memory_order_relaxed);
  });
  return good;
}

}  // namespace

bool holds_all(DType type, const View& x) {
  bool held = true;
  with_type(x.dtype, [&](auto zero) {
    using T = decltype(zero);
    switch (type) {
      case DType::BOOL: held = all_held<bool, T>(x); break;
      case DType::U8: held = all_held<uint8_t, T>(x); break;
      case DType::I32: held = all_held<int32_t, T>(x); break;
      case DType::I64: held = all_held<int64_t, T>(x); break;
      default: break;
    }
  });
  return held;
}

}  // namespace nabla
