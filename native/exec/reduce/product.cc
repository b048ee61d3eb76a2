#include "exec/reduce/product.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "exec/common/product.h"
#include "exec/reduce/middle.h"
#include "exec/reduce/reduced_rows.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";

// The product of n elements, at most kTogether: their mantissas, from 1 to 2, and exponents apart. False if an element
// has none, being 0, subnormal, infinite or NaN.
constexpr int64_t kTogether = 256;
template <class T>
bool multiply_normal(Product& product, const T* x, int64_t n) {
  constexpr uint64_t kExponent = uint64_t{2047} << 52, kOne = uint64_t{1023} << 52;
  constexpr int kParts = 4;
  double parts[kParts] = {1, 1, 1, 1};
  int64_t exponent = 0;
  bool special = false;
  const auto multiply = [&](double& part, T factor) {
    const auto bits = std::bit_cast<uint64_t>(static_cast<double>(factor));
    const auto own = static_cast<int64_t>((bits & kExponent) >> 52);
    special |= (own == 0) | (own == 2047);
    exponent += own - 1023;
    part *= std::bit_cast<double>((bits & ~kExponent) | kOne);
  };
  int64_t i = 0;
  for (; i + kParts <= n; i += kParts)
    for (int p = 0; p < kParts; p++) multiply(parts[p], x[i + p]);
  for (; i < n; i++) multiply(parts[0], x[i]);
  if (special) return false;
  for (double part : parts) product.times(part);
  product.exponent += exponent;
  return true;
}

template <class T>
Product product_of(const T* x, int64_t n) {
  Product product;
  for (int64_t from = 0; from < n; from += kTogether) {
    const int64_t count = n - from < kTogether ? n - from : kTogether;
    if (multiply_normal(product, x + from, count)) continue;
    for (int64_t i = from; i < from + count; i++) product.times(static_cast<double>(x[i]));
  }
  return product;
}

template <class T>
void replace(T& result, const Product& product, int64_t n) {
  const T exact = static_cast<T>(product.value());
  const double rounding = 2 * static_cast<double>(std::numeric_limits<T>::epsilon()) * static_cast<double>(n);
  const double error = std::fabs(static_cast<double>(result) - static_cast<double>(exact));
  if (!(error <= std::min(rounding, 0.5) * std::fabs(static_cast<double>(exact)))) result = exact;
}

template <class T>
Status products(Workspace& workspace, const View& out, const ReducedRows& x) {
  T* const results = out.as<T>();
  if (x.n <= kReduceChunk)
    return x.blocks([&](int64_t first, int64_t count, const char* from) {
      const T* row = reinterpret_cast<const T*>(from);
      for (int64_t r = 0; r < count; r++, row += x.n) replace(results[first + r], product_of(row, x.n), x.n);
    });
  Scratch memory(workspace);
  Product* const of_parts = memory.get<Product>(x.rows * x.parts());
  if (!of_parts) return out_of_memory();
  NABLA_TRY(x.each_part([&](int64_t row, int64_t part, const char* from, int64_t n) {
    of_parts[row * x.parts() + part] = product_of(reinterpret_cast<const T*>(from), n);
  }));
  for (int64_t r = 0; r < x.rows; r++) {
    Product product;
    for (int64_t p = 0; p < x.parts(); p++) product.times(of_parts[r * x.parts() + p]);
    replace(results[r], product, x.n);
  }
  return {};
}

// A sequence of n elements, `step` apart: the products of those before each, times those behind it.
template <class T>
void others(T* dx, const T* x, double g, int64_t n, int64_t step, Product* before) {
  Product product;
  for (int64_t i = 0; i < n; i++) {
    before[i] = product;
    product.times(static_cast<double>(x[i * step]));
  }
  product = Product();
  product.times(g);
  for (int64_t i = n - 1; i >= 0; i--) {
    before[i].times(product);
    dx[i * step] = static_cast<T>(before[i].value());
    product.times(static_cast<double>(x[i * step]));
  }
}

template <class T>
Status backward(const Call& call, const Middle& of) {
  const T *g = call.in(0).as<T>(), *x = call.in(1).as<T>();
  T* const dx = call.out().as<T>();
  std::atomic<bool> starved{false};
  const int64_t results = of.outer * of.inner, per = kRowsChunk / of.n + 1;
  parallel_for((results + per - 1) / per, [&](int64_t chunk) {
    Scratch memory(call.workspace);
    Product* const before = memory.get<Product>(of.n);
    if (!before) return starved.store(true, std::memory_order_relaxed);
    const int64_t end = (chunk + 1) * per < results ? (chunk + 1) * per : results;
    for (int64_t r = chunk * per; r < end; r++) {
      const int64_t at = r / of.inner * of.n * of.inner + r % of.inner;
      others(dx + at, x + at, static_cast<double>(g[r]), of.n, of.inner, before);
    }
  });
  return starved ? out_of_memory() : Status{};
}

}  // namespace

Status product_again(const Call& call) {
  ReducedRows x(call.workspace);
  NABLA_TRY(x.check(call.out(), call.in(0), call.attrs[0]));
  NABLA_TRY(x.lay_out());
  return call.out().dtype == DType::F64 ? products<double>(call.workspace, call.out(), x)
                                        : products<float>(call.workspace, call.out(), x);
}

Status run_product_backward(const Call& call) {
  if (call.n_out != 1 || call.n_in != 2 || call.n_attr != 1) return fail(Code::NATIVE, kOperands);
  const View &dx = call.out(), &g = call.in(0), &x = call.in(1);
  if (!is_float(dx.dtype)) return fail(Code::DTYPE, "the op is not for this dtype");
  if (!(call.attrs[0] >= 0 && call.attrs[0] < 1 << kMaxRank)) return fail(Code::NATIVE, kOperands);
  const int mask = static_cast<int>(call.attrs[0]);
  if (mask >> x.rank || !same_shape(dx, x) || x.scalar || !x.contiguous() || !dx.contiguous() || x.dtype != dx.dtype)
    return fail(Code::SHAPE, kOperands);
  const Middle of(x, mask);
  if (!of.fits || g.dtype != x.dtype || g.scalar || !g.contiguous() || g.numel() != of.outer * of.inner)
    return fail(Code::SHAPE, kOperands, 1);
  if (x.numel() == 0) return {};
  return dx.dtype == DType::F64 ? backward<double>(call, of) : backward<float>(call, of);
}

}  // namespace nabla
