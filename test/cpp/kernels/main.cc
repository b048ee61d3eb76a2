// nabla_kernels_tests [--samples N] [--exhaustive [op]] [--speed] [--digest FILE [--write]]: NABLA_ISA chooses the tier
// that is measured.
#include <cstdlib>

#include "check.h"

int main(int argc, char** argv) {
  using namespace nabla::test;
  int64_t samples = 1 << 22;
  for (int i = 1; i < argc; i++) {
    const char* next = i + 1 < argc ? argv[i + 1] : nullptr;
    if (!std::strcmp(argv[i], "--exhaustive")) {
      exhaust(next);
      return counts.failures != 0;
    }
    if (!std::strcmp(argv[i], "--speed")) {
      measure_speed();
      return 0;
    }
    if (!std::strcmp(argv[i], "--digest") && next) {
      test_digest(next, i + 2 < argc && !std::strcmp(argv[i + 2], "--write"));
      std::printf("%lld checks, %lld failures\n", static_cast<long long>(counts.checks),
                  static_cast<long long>(counts.failures));
      return counts.failures != 0;
    }
    if (!std::strcmp(argv[i], "--samples") && next) samples = std::atoll(next);
  }
  const nabla::KernelTable* tiers[8];
  const int count = nabla::available_isas(tiers, 8);
  for (int i = 0; i < count; i++) {
    nabla::force_isa(tiers[i]->isa);
    std::printf("tier: %s\n", nabla::kernels().isa);
    test_exact();
    test_reductions();
    test_random();
    test_halves();
    // test_bits holds the others to the best one's bits.
    test_values(i == 0 ? samples : samples / 64);
  }
  test_bits();
  std::printf("%lld checks, %lld failures\n", static_cast<long long>(counts.checks),
              static_cast<long long>(counts.failures));
  return counts.failures != 0;
}
