#include "base/cpu.h"

#include <cstdint>

#if defined(_MSC_VER)
#include <intrin.h>
#elif defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

namespace nabla {

#if defined(_M_X64) || defined(__x86_64__) || defined(__i386__)
namespace {

struct Registers {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

Registers cpuid(uint32_t leaf) {
  Registers r;
#if defined(_MSC_VER)
  int answer[4];
  __cpuidex(answer, static_cast<int>(leaf), 0);
  r = {uint32_t(answer[0]), uint32_t(answer[1]), uint32_t(answer[2]), uint32_t(answer[3])};
#else
  __cpuid_count(leaf, 0, r.eax, r.ebx, r.ecx, r.edx);
#endif
  return r;
}

uint32_t enabled_state() {
#if defined(_MSC_VER)
  return static_cast<uint32_t>(_xgetbv(0));
#else
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
#endif
}

bool has(uint32_t flags, int bit) { return flags >> bit & 1; }

// AVX and FMA, if the OS saves every register part in `state` at a context switch.
bool has_vectors(uint32_t state) {
  if (cpuid(0).eax < 7) return false;
  const uint32_t features = cpuid(1).ecx;
  const bool osxsave = has(features, 27), avx = has(features, 28), fma = has(features, 12);
  return osxsave && avx && fma && (enabled_state() & state) == state;
}

constexpr uint32_t kXmmAndYmm = 0x06, kMasksAndZmm = 0xe0;

}  // namespace

bool cpu_has_avx2() { return has_vectors(kXmmAndYmm) && has(cpuid(7).ebx, 5); }

bool cpu_has_avx512() {
  if (!has_vectors(kXmmAndYmm | kMasksAndZmm)) return false;
  const uint32_t features = cpuid(7).ebx;
  constexpr int kF = 16, kDQ = 17, kBW = 30, kVL = 31;
  return has(features, kF) && has(features, kDQ) && has(features, kBW) && has(features, kVL);
}
#else
bool cpu_has_avx2() { return false; }
bool cpu_has_avx512() { return false; }
#endif

}  // namespace nabla
