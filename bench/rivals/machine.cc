// What this machine can do: machine fma THREADS, machine copy ELEMENTS THREADS
#include <immintrin.h>
#include <omp.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "protocol.h"

namespace {

constexpr int kRounds = 100000;

// Independent chains keep both FMA units full: 12 of them in the registers of AVX2, 24 in those of AVX-512.
#define FMA_LOOP(name, target_features, lanes, chains, type, prefix)                     \
  __attribute__((target(target_features), noinline)) float name(float factor) {          \
    type chain[chains];                                                                  \
    for (int i = 0; i < chains; ++i) chain[i] = prefix##_set1_ps(static_cast<float>(i)); \
    const type scale = prefix##_set1_ps(factor), shift = prefix##_set1_ps(0.001f);       \
    for (int r = 0; r < kRounds; ++r) {                                                  \
      _Pragma("GCC unroll 24") for (int i = 0; i < chains; ++i) {                        \
        chain[i] = prefix##_fmadd_ps(chain[i], scale, shift);                            \
      }                                                                                  \
    }                                                                                    \
    for (int i = 1; i < chains; ++i) chain[0] = prefix##_add_ps(chain[0], chain[i]);     \
    float first[lanes];                                                                  \
    prefix##_storeu_ps(first, chain[0]);                                                 \
    return first[0];                                                                     \
  }
FMA_LOOP(fma_loop_avx2, "avx2,fma", 8, 12, __m256, _mm256)
FMA_LOOP(fma_loop_avx512, "avx512f", 16, 24, __m512, _mm512)
#undef FMA_LOOP

int serve_fma(int threads) {
  volatile float factor = 0.999f;  // read anew, so that no round can be skipped
  const bool wide = __builtin_cpu_supports("avx512f");
  const auto loop = wide ? fma_loop_avx512 : fma_loop_avx2;
  const double flops = 2.0 * kRounds * (wide ? 16 * 24 : 8 * 12);
  return serve(wide ? "avx512" : "avx2", flops * threads, std::vector<float>{}, [&](int64_t times) {
#pragma omp parallel num_threads(threads)
    for (int64_t i = 0; i < times; ++i) factor = std::min(0.999f, loop(factor));
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
