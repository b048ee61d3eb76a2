#include "exec/reduce/scan.h"

#include <cmath>

#include "exec/common/axis.h"
#include "exec/common/tuning.h"
#include "runtime/pool.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";
constexpr int64_t kBand = 64, kRowBand = 8;  // sequences carried along together: columns, or whole rows

// Integers wrap.
template <class T>
using Carry = std::conditional_t<std::is_floating_point_v<T>, double, uint64_t>;

template <class T, bool ROWS, class First, class Next>
void scan_bands(const Call& call, const Cut& c, First first, Next next) {
  const T *a = call.in(0).as<T>(), *b = call.in(call.n_in - 1).as<T>();
  T* out = call.out().as<T>();
  const int64_t lanes = ROWS ? c.outer : c.inner, lane = ROWS ? c.size : 1, step = ROWS ? 1 : c.inner;
  const int64_t most = ROWS ? kRowBand : kBand, width = lanes < most ? lanes : most;
  const int64_t bands = (lanes + width - 1) / width, total = ROWS ? bands : c.outer * bands;
  const int64_t per_chunk = kRowsChunk / (c.size * width) + 1;
  parallel_for((total + per_chunk - 1) / per_chunk, [&](int64_t chunk) {
    const int64_t end = (chunk + 1) * per_chunk < total ? (chunk + 1) * per_chunk : total;
    for (int64_t band = chunk * per_chunk; band < end; band++) {
      const int64_t start = band % bands * width, n = lanes - start < width ? lanes - start : width;
      int64_t at = band / bands * c.size * c.inner + start * lane;
      Carry<T> carry[kBand];
      for (int64_t j = 0; j < c.size; j++, at += step)
        for (int64_t i = 0; i < n; i++) {
          const int64_t k = at + i * lane;
          const auto x = static_cast<Carry<T>>(a[k]), y = static_cast<Carry<T>>(b[k]);
          carry[i] = j == 0 ? first(x, y) : next(carry[i], x, y);
          out[k] = static_cast<T>(carry[i]);
        }
    }
  });
}

template <class T, class First, class Next>
Status scan_as(const Call& call, const Cut& c, First first, Next next) {
  if (c.inner == 1)
    scan_bands<T, true>(call, c, first, next);
  else
    scan_bands<T, false>(call, c, first, next);
  return {};
}

template <class First, class Next>
Status scan(const Call& call, int inputs, First first, Next next) {
  if (call.n_out != 1 || call.n_in != inputs || call.n_attr != 1) return fail(Code::NATIVE, kOperands);
  const View& out = call.out();
  Cut c;
  if (!out.contiguous() || !cut(out, call.attrs[0], c)) return fail(Code::SHAPE, kOperands);
  for (int i = 0; i < inputs; i++) {
    const View& x = call.in(i);
    if (x.scalar || x.dtype != out.dtype || !same_shape(x, out) || !x.contiguous()) return fail(Code::SHAPE, kOperands);
  }
  if (out.numel() == 0) return {};
  switch (out.dtype) {
    case DType::F32: return scan_as<float>(call, c, first, next);
    case DType::F64: return scan_as<double>(call, c, first, next);
    case DType::I64: return scan_as<int64_t>(call, c, first, next);
    default: return fail(Code::DTYPE, "the op is not defined for this dtype");
  }
}

// Sums whose carry has overflowed, from elements of a smaller unit.
void sum_again(const View& out, const View& x, const Cut& c) {
  constexpr double kUnit = 0x1p-64;
  double* const sums = out.as<double>();
  parallel_for(c.outer, [&](int64_t o) {
    for (int64_t at = o * c.size * c.inner, lane = 0; lane < c.inner; lane++, at++) {
      if (std::isfinite(sums[at + (c.size - 1) * c.inner])) continue;
      double carry = 0;
      for (int64_t j = 0, k = at; j < c.size; j++, k += c.inner) {
        carry += x.as<double>()[k] * kUnit;
        if (!std::isfinite(sums[k])) sums[k] = carry / kUnit;
      }
    }
  });
}

constexpr auto kFirst = [](auto x, auto) { return x; };

}  // namespace

Status run_cumsum(const Call& call) {
  NABLA_TRY(scan(call, 1, kFirst, [](auto carry, auto x, auto) { return carry + x; }));
  const View& out = call.out();
  Cut c;
  if (out.dtype == DType::F64 && out.numel() > 0 && cut(out, call.attrs[0], c)) sum_again(out, call.in(0), c);
  return {};
}

Status run_cumprod(const Call& call) {
  return scan(call, 1, kFirst, [](auto carry, auto x, auto) { return carry * x; });
}

Status run_linear_scan(const Call& call) {
  return scan(call, 2, [](auto, auto b) { return b; }, [](auto carry, auto a, auto b) { return a * carry + b; });
}

}  // namespace nabla
