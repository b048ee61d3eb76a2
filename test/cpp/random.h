// Random numbers of the tests: xorshift, the same everywhere.
#pragma once
#include <cstdint>

namespace nabla::test {

struct Random {
  uint64_t state;
  uint64_t bits() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  }
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(bits() % static_cast<uint64_t>(high - low + 1));
  }
  // In [-1, 1).
  double number() { return static_cast<double>(bits() >> 11) * 0x1p-52 - 1; }
};

}  // namespace nabla::test
