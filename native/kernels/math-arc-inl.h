// The inverse trigonometric functions; float passes through double.
#pragma once
#include "kernels/math-core-inl.h"

namespace nabla::NABLA_ISA {
namespace {

template <class V>
NABLA_INLINE V asin_sum(V s, V square) {
  return fma(s * square, polynomial(square, kAsin<typename V::Scalar>), s);
}

template <class V>
NABLA_INLINE V asin(V x) {
  using T = typename V::Scalar;
  if constexpr (kIsSingle<V>) return in_double([](auto v) { return asin(v); }, x);
  const V size = abs(x);
  const auto large = size > 0.5;
  const V square = select(large, fnma(V(0.5), size, V(0.5)), size * size);
  const V y = asin_sum(select(large, sqrt(square), size), square);
  return copysign(select(large, fnma(V(2), y, V(0.5 * kPi<T>[0])) + 0.5 * kPi<T>[1], y), x);
}

template <class V>
NABLA_INLINE V acos(V x) {
  using T = typename V::Scalar;
  if constexpr (kIsSingle<V>) return in_double([](auto v) { return acos(v); }, x);
  const V size = abs(x);
  const auto large = size > 0.5;
  const V square = select(large, fnma(V(0.5), size, V(0.5)), x * x);
  const V y = asin_sum(select(large, sqrt(square), x), square);
  const V middle = (0.5 * kPi<T>[0] - y) + 0.5 * kPi<T>[1];
  const V ends = select(x < 0, fnma(V(2), y, V(kPi<T>[0])) + kPi<T>[1], 2 * y);
  return select(large, ends, middle);
}

// quarters pi / 4 +- atan(smaller / larger), 0 <= smaller <= larger; minus where `down`.
template <class V, class M>
NABLA_INLINE V atan_sum(V smaller, V larger, V quarters, M down) {
  using T = typename V::Scalar;
  // atan(t) = pi / 4 + atan((t - 1) / (t + 1)), on the far side of tan(pi / 8).
  const auto fold = smaller > larger * 0.41421356237309503;
  const V t = select(fold, smaller - larger, smaller) / select(fold, smaller + larger, larger);
  const V square = t * t;
  const V y = fma(t * square, polynomial(square, kAtan<T>), t);
  const V one = select(down, V(-1), V(1));
  quarters = quarters + select(fold, one, V(0));
  return fma(quarters, 0.25 * kPi<T>[0], fma(quarters, 0.25 * kPi<T>[1], one * y));
}

template <class V>
NABLA_INLINE V atan(V x) {
  if constexpr (kIsSingle<V>) return in_double([](auto v) { return atan(v); }, x);
  const V size = abs(x);
  const auto down = size > 1;
  return copysign(atan_sum(select(down, V(1), size), select(down, size, V(1)), select(down, V(2), V(0)), down), x);
}

template <class V>
NABLA_INLINE V atan2(V y, V x) {
  using F = Traits<V>;
  if constexpr (kIsSingle<V>) return in_double([](auto a, auto b) { return atan2(a, b); }, y, x);
  const V width = abs(x), height = abs(y);
  V smaller = min(width, height), larger = max(width, height);
  const auto infinite = smaller == F::kInfinity;
  smaller = select(infinite, V(1), smaller);
  larger = select(infinite | (larger == 0), V(1), larger);
  const V unit = select(larger > 0x1p1000, V(0x1p-100), V(1));
  const auto steep = height > width, left = copysign(V(1), x) < 0;
  const V quarters = select(steep, V(2), select(left, V(4), V(0)));
  const V angle = atan_sum(smaller * unit, larger * unit, quarters, steep ^ left);
  return select((x != x) | (y != y), x + y, copysign(angle, y));
}

}  // namespace
}  // namespace nabla::NABLA_ISA
