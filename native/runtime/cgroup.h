// The limits from the control groups of this process, v1 or v2: the least of its own group and its ancestors.
#pragma once
#include <cstdint>

namespace nabla {

struct GroupLimits {
  int64_t memory = INT64_MAX;  // bytes
  double cpus = 1e9;
};
// `root` replaces / in tests.
GroupLimits group_limits(const char* root = "");

}  // namespace nabla
