// Cross-entropy: the log-sum-exps that are kept, and the gradient that is made from them.
#include "check.h"
#include "exec/softmax.h"

namespace nabla::test {
namespace {

template <class T>
void check_kept(Random& r, int64_t rows, int64_t classes) {
  Tensor<T> x({rows, classes}), loss({rows}), kept({rows}), g({rows}), dx({rows, classes}), again({rows, classes});
  Tensor<int32_t> target({rows});
  x.fill(r), g.fill(r);
  for (int64_t i = 0; i < rows; i++) target.data[static_cast<size_t>(i)] = static_cast<int32_t>(i % classes);
  check(run_with(run_cross_entropy, 2, {loss.view, kept.view, x.view, target.view}, {-100}).ok(), "cross-entropy runs",
        rows, classes);
  check(run_with(run_cross_entropy_backward, 1, {dx.view, g.view, x.view, target.view}, {-100}).ok(),
        "its gradient runs", rows, classes);
  const auto from_kept = [&] {
    again.spoil();
    check(run_with(run_cross_entropy_backward, 1, {again.view, g.view, x.view, target.view, kept.view}, {-100}).ok(),
          "its gradient runs on what was kept", rows, classes);
    return digest_of(again.data, 0);
  };
  check(from_kept() == digest_of(dx.data, 0), "what was kept gives the same", rows, classes);
  for (T& k : kept.data) k += 1;
  check(from_kept() != digest_of(dx.data, 0), "what was kept is used", rows, classes);
}

}  // namespace

void test_losses() {
  Random r{0x94D049BB133111EBu};
  for (int64_t classes : {1, 7, 40, 1030}) {
    check_kept<float>(r, 9, classes);
    check_kept<double>(r, 9, classes);
  }
}

}  // namespace nabla::test
