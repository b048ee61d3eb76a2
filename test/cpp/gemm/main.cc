// nabla_gemm_tests [--quick | --threads]: fewer values, or none, only what threads share
#include "check.h"
#include "kernels/table.h"

int main(int argc, char** argv) {
  const auto asked = [&](const char* form) { return argc > 1 && !std::strcmp(argv[1], form); };
  const bool quick = asked("--quick"), values = !asked("--threads");
  const nabla::KernelTable* tiers[8];
  const int count = nabla::available_isas(tiers, 8);
  for (int i = 0; values && i < count; i++) {
    nabla::force_isa(tiers[i]->isa);
    std::printf("tier: %s\n", nabla::kernels().isa);
    nabla::test::test_values(quick);
    nabla::test::test_halves(quick);
  }
  // From the best tier: the first of these holds it against the others.
  nabla::force_isa(tiers[0]->isa);
  nabla::test::test_bits();
  nabla::test::test_batches();
  nabla::test::test_plans();
  const nabla::test::Tally& t = nabla::test::tally;
  std::printf("%lld checks, %lld failures\n", static_cast<long long>(t.checks), static_cast<long long>(t.failures));
  return t.failures == 0 && t.checks > 0 ? 0 : 1;
}
