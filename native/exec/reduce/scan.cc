#include "exec/reduce/scan.h"

#include <algorithm>
#include <cmath>

#include "exec/common/axis.h"
#include "exec/common/product.h"
#include "exec/common/range.h"
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
void scan_bands(const Call& call, const Cut& c, Range* range, First first, Next next) {
  const T *a = call.in(0).as<T>(), *b = call.in(call.n_in - 1).as<T>();
  T* out = call.out().as<T>();
  const int64_t lanes = ROWS ? c.outer : c.inner, lane = ROWS ? c.size : 1, step = ROWS ? 1 : c.inner;
  const int64_t most = ROWS ? kRowBand : kBand, width = lanes < most ? lanes : most;
  const int64_t bands = (lanes + width - 1) / width, total = ROWS ? bands : c.outer * bands;
  const int64_t per_chunk = kRowsChunk / (c.size * width) + 1;
  parallel_for((total + per_chunk - 1) / per_chunk, [&](int64_t chunk) {
    const Range::Watch watch(range);
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
Status scan_as(const Call& call, const Cut& c, Range* range, First first, Next next) {
  if (c.inner == 1)
    scan_bands<T, true>(call, c, range, first, next);
  else
    scan_bands<T, false>(call, c, range, first, next);
  return {};
}

template <class First, class Next>
Status scan(const Call& call, int inputs, Range* range, First first, Next next) {
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
    case DType::F32: return scan_as<float>(call, c, range, first, next);
    case DType::F64: return scan_as<double>(call, c, range, first, next);
    case DType::I64: return scan_as<int64_t>(call, c, range, first, next);
    default: return fail(Code::DTYPE, "the op is not defined for this dtype");
  }
}

// f(first element), for each sequence that is scanned, of a call that has succeeded.
template <class F>
void over_sequences(const Call& call, F&& f) {
  Cut c;
  cut(call.out(), call.attrs[0], c);
  const int64_t sequences = c.outer * c.inner, per = kRowsChunk / c.size + 1;
  parallel_for(ceil_div(sequences, per), [&](int64_t chunk) {
    const int64_t end = std::min((chunk + 1) * per, sequences);
    for (int64_t s = chunk * per; s < end; s++) f(c, s / c.inner * c.size * c.inner + s % c.inner);
  });
}

// Sums whose carry has overflowed, from elements of a smaller unit.
void sums_again(const Call& call) {
  constexpr double kUnit = 0x1p-64;
  const double* x = call.in(0).as<double>();
  double* const sums = call.out().as<double>();
  over_sequences(call, [=](const Cut& c, int64_t at) {
    if (std::isfinite(sums[at + (c.size - 1) * c.inner])) return;
    double carry = 0;
    for (int64_t j = 0, k = at; j < c.size; j++, k += c.inner) {
      carry += x[k] * kUnit;
      if (!std::isfinite(sums[k])) sums[k] = carry / kUnit;
    }
  });
}

// Products whose carry has left its range, from there on.
template <class T>
void products_again(const Call& call) {
  const T* x = call.in(0).as<T>();
  T* const products = call.out().as<T>();
  over_sequences(call, [=](const Cut& c, int64_t at) {
    const auto factor = [=](int64_t j) { return static_cast<double>(x[at + j * c.inner]); };
    // What only shrinks ends at 0 in any case.
    int64_t shrinks = 0;
    while (shrinks < c.size && std::fabs(factor(shrinks)) <= 1) shrinks++;
    if (shrinks == c.size) return;
    double carry = 1;
    int64_t fit = 0;
    while (fit < c.size && std::isnormal(carry *= factor(fit))) fit++;
    if (fit == c.size || factor(fit) == 0 || !std::isfinite(factor(fit))) return;
    Product exact;
    for (int64_t j = 0; j < c.size; j++) {
      exact.times(factor(j));
      if (j >= fit) products[at + j * c.inner] = static_cast<T>(exact.value());
    }
  });
}

constexpr auto kFirst = [](auto x, auto) { return x; };

}  // namespace

Status run_cumsum(const Call& call) {
  Range range;
  const bool watched = call.n_out > 0 && call.out().dtype == DType::F64;
  NABLA_TRY(scan(call, 1, watched ? &range : nullptr, kFirst, [](auto carry, auto x, auto) { return carry + x; }));
  if (range.left) sums_again(call);
  return {};
}

Status run_cumprod(const Call& call) {
  Range range;
  NABLA_TRY(scan(call, 1, &range, kFirst, [](auto carry, auto x, auto) { return carry * x; }));
  if (range.left && is_float(call.out().dtype))
    (call.out().dtype == DType::F64 ? products_again<double> : products_again<float>)(call);
  return {};
}

Status run_linear_scan(const Call& call) {
  return scan(
      call, 2, nullptr, [](auto, auto b) { return b; }, [](auto carry, auto a, auto b) { return a * carry + b; });
}

}  // namespace nabla
