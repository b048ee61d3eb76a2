#include "check.h"

int main() {
  nabla::test::test_values();
  nabla::test::test_bits();
  nabla::test::test_batches();
  const nabla::test::Tally& t = nabla::test::tally;
  std::printf("%lld checks, %lld failures\n", static_cast<long long>(t.checks), static_cast<long long>(t.failures));
  return t.failures == 0 && t.checks > 0 ? 0 : 1;
}
