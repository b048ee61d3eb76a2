// Sorts rows side by side with Batcher's merge exchange (Knuth, The Art of Computer Programming 5.2.2, algorithm M):
// the compared positions depend on n alone, so each lane sorts a row of its own.
#pragma once
#include "kernels/sort.h"

namespace nabla::NABLA_ISA {
namespace {

struct SortLanes {
  using V = Vec<int32_t>;

  static void exchange(int32_t* low, int32_t* high) {
    const V a = V::load(low), b = V::load(high);
    V::store(low, min(a, b));
    V::store(high, max(a, b));
  }

  static void run(int32_t* items, int64_t n) {
    if (n < 2) return;
    const int64_t top = int64_t{1} << (63 - __builtin_clzll(static_cast<uint64_t>(n - 1)));
    for (int64_t p = top; p > 0; p /= 2) {
      int64_t first = 0, apart = p;
      for (int64_t q = top;; q /= 2) {
        for (int64_t start = first; start < n - apart; start += 2 * p) {
          const int64_t end = start + p < n - apart ? start + p : n - apart;
          for (int64_t i = start; i < end; i++) exchange(items + i * V::kLanes, items + (i + apart) * V::kLanes);
        }
        if (q == p) break;
        first = p;
        apart = q - p;
      }
    }
  }
};

constexpr SortTable make_sort_table() { return {.lanes = Vec<int32_t>::kLanes, .sort_lanes = SortLanes::run}; }

}  // namespace
}  // namespace nabla::NABLA_ISA
