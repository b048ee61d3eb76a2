// Included once per ISA: loops over a row. Sums run over 32 virtual lanes on every ISA, so that all give the same bits.
#pragma once
#include <cstdint>

namespace nabla::NABLA_ISA {
namespace {

constexpr int kRowLanes = 32;

// The sum over i < n of f(i, count): a vector whose lanes from `count` on are zero.
template <class T, class F>
T row_sum(int64_t n, F&& f) {
  using V = Vec<T>;
  constexpr int kParts = kRowLanes / V::kLanes;
  V parts[kParts];
  for (V& p : parts) p = V::set1(0);
  int64_t i = 0;
  for (; i + kRowLanes <= n; i += kRowLanes)
    for (int p = 0; p < kParts; p++) parts[p] = parts[p] + f(i + p * V::kLanes, V::kLanes);
  for (int p = 0; p < kParts && i + p * V::kLanes < n; p++) {
    const int64_t at = i + p * V::kLanes, left = n - at;
    parts[p] = parts[p] + f(at, left < V::kLanes ? static_cast<int>(left) : V::kLanes);
  }
  T lanes[kRowLanes];
  for (int p = 0; p < kParts; p++) V::store(lanes + p * V::kLanes, parts[p]);
  for (int width = kRowLanes / 2; width > 0; width /= 2)
    for (int l = 0; l < width; l++) lanes[l] += lanes[l + width];
  return lanes[0];
}

// Lanes from `count` on are set to zero.
template <class T>
Vec<T> first_lanes(Vec<T> v, int count) {
  if (count == Vec<T>::kLanes) return v;
  T lanes[Vec<T>::kLanes] = {};
  Vec<T>::store_n(lanes, v, count);
  return Vec<T>::load(lanes);
}

template <class T, class F>
void each_vector(int64_t n, F&& f) {
  int64_t i = 0;
  for (; i + Vec<T>::kLanes <= n; i += Vec<T>::kLanes) f(i, Vec<T>::kLanes);
  if (i < n) f(i, static_cast<int>(n - i));
}

template <class V>
typename V::Scalar first_lane(V v) {
  typename V::Scalar lanes[V::kLanes];
  V::store(lanes, v);
  return lanes[0];
}

}  // namespace
}  // namespace nabla::NABLA_ISA
