// Short rows are sorted side by side, one in each lane of a vector.
#pragma once
#include <cstdint>

namespace nabla {

// Sorts each of `lanes` rows of n: element i of row l stands at items[i * lanes + l].
using SortLanesFn = void (*)(int32_t* items, int64_t n);

struct SortTable {
  int lanes;
  SortLanesFn sort_lanes;
};

constexpr int kMaxSortLanes = 16;

}  // namespace nabla
