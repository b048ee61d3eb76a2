#include "exec/elementwise/checked.h"

#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "base/half.h"
#include "exec/common/axis.h"
#include "exec/common/tuning.h"
#include "exec/common/walk.h"
#include "runtime/pool.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";

template <class T>
constexpr bool kHalf = std::is_same_v<T, BFloat16> || std::is_same_v<T, Float16>;
template <class T>
constexpr bool kReal = std::is_floating_point_v<T> || kHalf<T>;

template <class T>
auto value_of(T x) {
  if constexpr (kHalf<T>)
    return widen(x);
  else
    return x;
}

template <class T>
int64_t detail_of(T x) {
  if constexpr (kReal<T>) {
    const double value = static_cast<double>(value_of(x));
    int64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
  } else {
    return static_cast<int64_t>(x);
  }
}

void keep_smallest(std::atomic<int64_t>& least, int64_t value) {
  int64_t seen = least.load(std::memory_order_relaxed);
  while (value < seen && !least.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
  }
}

bool fits(const Call& call, int attrs) {
  return call.n_out == 1 && call.n_in == 1 && call.n_attr == attrs && !call.in(0).scalar && call.out().contiguous() &&
         same_shape(call.out(), call.in(0));
}

// out[i] = take(x[i]) where may(x[i]); at its first element that may not, a status.
template <class Out, class In, class May, class Take>
Status copy_checked(const View& out, const View& x, Status refused, const May& may, const Take& take) {
  const int64_t n = x.numel();
  std::atomic<int64_t> first{n};
  parallel_for((n + kElementwiseChunk - 1) / kElementwiseChunk, [&](int64_t chunk) {
    const int64_t start = chunk * kElementwiseChunk;
    const int64_t end = start + kElementwiseChunk < n ? start + kElementwiseChunk : n;
    bool good = true;
    Walk walk(x, x, -1, start);
    for (int64_t i = start, run; i < end; i += run, walk.advance(run)) {
      run = x.rank > 0 && walk.left() < end - i ? walk.left() : end - i;
      const int64_t step = x.rank > 0 ? walk.step() : 1;
      const In* from = x.as<In>() + walk.offset();
      Out* to = out.as<Out>() + i;
      // An int, so that the loops are vectorized.
      int bad = 0;
      // Each element is read once: what is checked is what is written.
      if (step == 1) {
        for (int64_t j = 0; j < run; j++) {
          const In value = from[j];
          bad |= !may(value);
          to[j] = take(value);
        }
      } else {
        for (int64_t j = 0; j < run; j++) {
          const In value = from[j * step];
          bad |= !may(value);
          to[j] = take(value);
        }
      }
      if (!bad || !good) continue;
      good = false;
      int64_t j = 0;
      while (j < run - 1 && may(from[j * step])) j++;
      keep_smallest(first, i + j);
    }
  });
  if (first.load() == n) return {};
  refused.detail = detail_of(x.as<In>()[Walk(x, x, -1, first.load()).offset()]);
  return refused;
}

template <class Target, class T>
bool holds(T x) {
  constexpr Target low = std::numeric_limits<Target>::min(), high = std::numeric_limits<Target>::max();
  if constexpr (std::is_floating_point_v<T>) {
    // The first integer too large: a power of two, which the highest one need not be in T.
    constexpr T end = static_cast<T>(high / 2 + 1) * 2;
    return x >= static_cast<T>(low) && x < end && x == std::trunc(x);
  } else {
    return static_cast<int64_t>(x) >= static_cast<int64_t>(low) &&
           static_cast<int64_t>(x) <= static_cast<int64_t>(high);
  }
}

template <class T>
Status exactly(const View& out, const View& x) {
  Status status;
  with_type(x.dtype, [&](auto zero) {
    using In = decltype(zero);
    status = copy_checked<T, In>(
        out, x, fail(Code::DTYPE, "the dtype does not hold an element", 1), [](In v) { return holds<T>(v); },
        [](In v) { return holds<T>(v) ? static_cast<T>(v) : T(); });
  });
  return status;
}

template <class T>
Status within(const Call& call) {
  using Number = decltype(value_of(T()));
  const Number low = static_cast<Number>(call.attrs[0]), high = static_cast<Number>(call.attrs[1]);
  return copy_checked<T, T>(
      call.out(), call.in(0), fail(Code::ARGUMENT, "an element is out of range", 1),
      [=](T v) { return (value_of(v) >= low) & (value_of(v) <= high); }, [](T v) { return v; });
}

template <class T>
Status places(const View& out, const View& x, int64_t size) {
  return copy_checked<int64_t, T>(
      out, x, fail(Code::INDEX, "an index is out of range", 1),
      [=](T v) { return (static_cast<int64_t>(v) >= -size) & (static_cast<int64_t>(v) < size); },
      [=](T v) { return static_cast<int64_t>(v) + (v < 0 ? size : 0); });
}

template <class T>
Status weights(const View& out, const View& x, int64_t least) {
  const int64_t n = x.dims[x.rank - 1], rows = n > 0 ? x.numel() / n : 0, together = kElementwiseChunk / (n + 1) + 1;
  const auto may = [](double v) { return (v >= 0) & (v <= std::numeric_limits<double>::max()); };
  std::atomic<int64_t> first{rows * n}, fewest{n};
  parallel_for((rows + together - 1) / together, [&](int64_t chunk) {
    const int64_t end = (chunk + 1) * together < rows ? (chunk + 1) * together : rows;
    for (int64_t r = chunk * together; r < end; r++) {
      const T* from = x.as<T>() + r * n;
      double* to = out.as<double>() + r * n;
      int64_t positive = 0;
      bool held = true;
      for (int64_t i = 0; i < n; i++) {
        const double value = static_cast<double>(value_of(from[i]));
        held &= may(value);
        positive += value > 0;
        to[i] = value;
      }
      keep_smallest(fewest, positive);
      if (held) continue;
      int64_t i = 0;
      while (i < n - 1 && may(to[i])) i++;
      keep_smallest(first, r * n + i);
    }
  });
  if (first.load() < rows * n)
    return fail(Code::ARGUMENT, "a weight is not valid", 1, detail_of(out.as<double>()[first.load()]));
  if (fewest.load() < least && rows > 0)
    return fail(Code::ARGUMENT, "a row has too few weights above 0", 0, fewest.load());
  return {};
}

}  // namespace

Status run_exactly(const Call& call) {
  if (!fits(call, 0)) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &x = call.in(0);
  switch (out.dtype) {
    case DType::BOOL: return exactly<bool>(out, x);
    case DType::U8: return exactly<uint8_t>(out, x);
    case DType::I32: return exactly<int32_t>(out, x);
    case DType::I64: return exactly<int64_t>(out, x);
    default: return fail(Code::DTYPE, "the op is not defined for this dtype");
  }
}

Status run_within(const Call& call) {
  if (!fits(call, 2) || call.out().dtype != call.in(0).dtype) return fail(Code::NATIVE, kOperands);
  if (call.in(0).dtype != DType::F64)
    for (int i = 0; i < 2; i++)
      if (!(std::fabs(call.attrs[i]) <= std::numeric_limits<float>::max())) return fail(Code::NATIVE, kOperands);
  switch (call.in(0).dtype) {
    case DType::F32: return within<float>(call);
    case DType::F64: return within<double>(call);
    case DType::BF16: return within<BFloat16>(call);
    case DType::F16: return within<Float16>(call);
    default: return fail(Code::DTYPE, "the op is not defined for this dtype");
  }
}

Status run_places(const Call& call) {
  if (!fits(call, 1) || call.out().dtype != DType::I64 || !(call.attrs[0] >= 0 && call.attrs[0] <= 0x1p53))
    return fail(Code::NATIVE, kOperands);
  const auto size = static_cast<int64_t>(call.attrs[0]);
  switch (call.in(0).dtype) {
    case DType::I32: return places<int32_t>(call.out(), call.in(0), size);
    case DType::I64: return places<int64_t>(call.out(), call.in(0), size);
    case DType::U8: return places<uint8_t>(call.out(), call.in(0), size);
    default: return fail(Code::DTYPE, "the op is not defined for this dtype");
  }
}

Status run_weights(const Call& call) {
  if (!fits(call, 1) || call.out().dtype != DType::F64 || !call.in(0).contiguous() || call.in(0).rank == 0 ||
      !(call.attrs[0] >= 0 && call.attrs[0] <= 0x1p53))
    return fail(Code::NATIVE, kOperands);
  const auto least = static_cast<int64_t>(call.attrs[0]);
  switch (call.in(0).dtype) {
    case DType::F32: return weights<float>(call.out(), call.in(0), least);
    case DType::F64: return weights<double>(call.out(), call.in(0), least);
    case DType::BF16: return weights<BFloat16>(call.out(), call.in(0), least);
    case DType::F16: return weights<Float16>(call.out(), call.in(0), least);
    default: return fail(Code::DTYPE, "the op is not defined for this dtype");
  }
}

}  // namespace nabla
