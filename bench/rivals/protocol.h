// The contender's side of the line protocol (see bench/README.md), shared by the native rivals.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

/// The same operands as bench/harness/inputs.mjs.
inline std::vector<float> uniform(int64_t n, uint32_t seed) {
  std::vector<float> values(n);
  for (int64_t i = 0; i < n; ++i) {
    uint32_t x = (static_cast<uint32_t>(i + 1) * 0x9e3779b1u) ^ ((seed + 1) * 0x85ebca6bu);
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    x ^= x >> 16;
    values[i] = static_cast<float>(-1 + 2 * ((x >> 8) / 16777216.0));
  }
  return values;
}

/// Reports the result at 16 positions, then runs as often as each line asks and says how long it took.
template <typename T, typename Run>
int serve(const std::string& version, double work, const std::vector<T>& result, const Run& run) {
  run(1);
  std::printf("{\"version\":\"%s\",\"work\":%.17g,\"value\":[", version.c_str(), work);
  const int64_t last = static_cast<int64_t>(result.size()) - 1;
  for (int i = 0; i < 16 && last >= 0; ++i) std::printf("%s%.17g", i ? "," : "", static_cast<double>(result[i * last / 15]));
  std::printf("]}\n");
  std::fflush(stdout);
  for (int64_t n; std::scanf("%ld", &n) == 1;) {
    const auto start = std::chrono::steady_clock::now();
    run(n);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("{\"seconds\":%.9g}\n", seconds.count());
    std::fflush(stdout);
  }
  return 0;
}
