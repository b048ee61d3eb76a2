#include "exec/scan.h"

#include "exec/axis.h"
#include "exec/tuning.h"
#include "runtime/pool.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";
constexpr int64_t kBand = 64;  // columns carried along together

// Integers wrap.
template <class T>
using Carry = std::conditional_t<std::is_floating_point_v<T>, double, uint64_t>;

template <class T, class First, class Next>
void scan_bands(const Call& call, const Cut& c, First first, Next next) {
  const T *a = call.in(0).as<T>(), *b = call.in(call.n_in - 1).as<T>();
  T* out = call.out().as<T>();
  const int64_t width = c.inner < kBand ? c.inner : kBand, bands = (c.inner + width - 1) / width;
  const int64_t total = c.outer * bands, per_chunk = kRowsChunk / (c.size * width) + 1;
  parallel_for((total + per_chunk - 1) / per_chunk, [&](int64_t chunk) {
    const int64_t end = (chunk + 1) * per_chunk < total ? (chunk + 1) * per_chunk : total;
    for (int64_t band = chunk * per_chunk; band < end; band++) {
      const int64_t column = band % bands * width, n = c.inner - column < width ? c.inner - column : width;
      Carry<T> carry[kBand];
      int64_t at = band / bands * c.size * c.inner + column;
      for (int64_t j = 0; j < c.size; j++, at += c.inner)
        for (int64_t i = 0; i < n; i++) {
          const auto x = static_cast<Carry<T>>(a[at + i]), y = static_cast<Carry<T>>(b[at + i]);
          carry[i] = j == 0 ? first(x, y) : next(carry[i], x, y);
          out[at + i] = static_cast<T>(carry[i]);
        }
    }
  });
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
    case DType::F32: scan_bands<float>(call, c, first, next); return {};
    case DType::F64: scan_bands<double>(call, c, first, next); return {};
    case DType::I64: scan_bands<int64_t>(call, c, first, next); return {};
    default: return fail(Code::DTYPE, "the op is not defined for this dtype");
  }
}

constexpr auto kFirst = [](auto x, auto) { return x; };

}  // namespace

Status run_cumsum(const Call& call) {
  return scan(call, 1, kFirst, [](auto carry, auto x, auto) { return carry + x; });
}

Status run_cumprod(const Call& call) {
  return scan(call, 1, kFirst, [](auto carry, auto x, auto) { return carry * x; });
}

Status run_linear_scan(const Call& call) {
  return scan(call, 2, [](auto, auto b) { return b; }, [](auto carry, auto a, auto b) { return a * carry + b; });
}

}  // namespace nabla
