#include "check.h"
#include "kernels/table.h"

int main() {
  using namespace nabla::test;
  setenv("NABLA_NUM_THREADS", "7", 1);
  const nabla::KernelTable* tiers[8];
  const int count = nabla::available_isas(tiers, 8);
  uint64_t first = 0;
  test_orders();  // their results are of no tier
  for (int tier = 0; tier < count; tier++) {
    nabla::force_isa(tiers[tier]->isa);
    tally.digest = 0;
    test_attention();
    test_losses();
    test_norm();
    test_streaming();
    test_variance();
    if (tier == 0) first = tally.digest;
    check(tally.digest == first, "every tier gives the same bits", tier, 0);
    std::printf("tier: %s, digest %016llx\n", nabla::kernels().isa, static_cast<unsigned long long>(tally.digest));
  }
  std::printf("%lld checks, %lld failures, errors up to %.2f of what is allowed\n",
              static_cast<long long>(tally.checks), static_cast<long long>(tally.failures), tally.worst);
  return tally.failures == 0 && tally.checks > 0 ? 0 : 1;
}
