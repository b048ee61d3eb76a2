// What this machine can do: machine fma THREADS, machine copy ELEMENTS THREADS
#include <immintrin.h>
#include <omp.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "protocol.h"

namespace {

constexpr int kChains = 12, kRounds = 100000;

/// Twelve independent chains keep both FMA units of an AVX2 core full.
__attribute__((target("avx2,fma"), noinline)) float fma_loop(float factor) {
  __m256 chain[kChains];
  for (int i = 0; i < kChains; ++i) chain[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 scale = _mm256_set1_ps(factor), shift = _mm256_set1_ps(0.001f);
  for (int r = 0; r < kRounds; ++r) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) chain[i] = _mm256_fmadd_ps(chain[i], scale, shift);
  }
  for (int i = 1; i < kChains; ++i) chain[0] = _mm256_add_ps(chain[0], chain[i]);
  return _mm256_cvtss_f32(chain[0]);
}

int serve_fma(int threads) {
  volatile float factor = 0.999f;  // read anew, so that no round can be skipped
  return serve("avx2", 2.0 * 8 * kChains * kRounds * threads, std::vector<float>{}, [&](int64_t times) {
#pragma omp parallel num_threads(threads)
    for (int64_t i = 0; i < times; ++i) factor = std::min(0.999f, fma_loop(factor));
  });
}

int serve_copy(int64_t size, int threads) {
  const std::vector<float> from = uniform(size, 1);
  std::vector<float> to(size);
  // A parallel region costs more than copying a few kilobytes.
  if (size < 32768) threads = 1;
  const auto copy = [&](int64_t part) {
    const int64_t begin = size * part / threads, end = size * (part + 1) / threads;
    std::memcpy(to.data() + begin, from.data() + begin, (end - begin) * sizeof(float));
    asm volatile("" : : "r"(to.data()) : "memory");
  };
  return serve("memcpy", 2.0 * sizeof(float) * size, to, [&](int64_t times) {
    for (int64_t i = 0; i < times; ++i) {
      if (threads == 1) {
        copy(0);
        continue;
      }
#pragma omp parallel num_threads(threads)
      copy(omp_get_thread_num());
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
  const std::string kind = argc > 1 ? argv[1] : "";
  if (kind == "fma" && argc == 3) return serve_fma(std::atoi(argv[2]));
  if (kind == "copy" && argc == 4) return serve_copy(std::atoll(argv[2]), std::atoi(argv[3]));
  return 2;
}
