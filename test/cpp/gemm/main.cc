// nabla_gemm_tests [--quick]
#include "check.h"
#include "kernels/table.h"

int main(int argc, char** argv) {
  const bool quick = argc > 1 && !std::strcmp(argv[1], "--quick");
  const nabla::KernelTable* tiers[8];
  const int count = nabla::available_isas(tiers, 8);
  for (int i = 0; i < count; i++) {
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
