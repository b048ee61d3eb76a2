// What the control groups of this process leave it, of either version: the least of its own group and of those above.
#pragma once
#include <cstdint>

namespace nabla {

struct GroupLimits {
  int64_t memory = INT64_MAX;  // bytes
  double cpus = 1e9;
};
// `root` stands in for / in tests.
GroupLimits group_limits(const char* root = "");

}  // namespace nabla
