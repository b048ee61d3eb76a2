// Cross-entropy: the gradient that is made with the losses, and what becomes of it under other gradients of these.
#include "check.h"
#include "exec/loss/cross_entropy.h"

namespace nabla::test {
namespace {

template <class T>
void check_made(Random& r, int64_t rows, int64_t classes, bool averaged) {
  constexpr int32_t kIgnored = 0;
  Tensor<T> x({rows, classes}), loss({rows}), alone({rows}), made({rows, classes}), g({rows}), dx({rows, classes});
  Tensor<int32_t> target({rows});
  x.fill(r), g.fill(r);
  int64_t counted = 0;
  for (int64_t i = 0; i < rows; i++) {
    target.data[static_cast<size_t>(i)] = static_cast<int32_t>(i % classes);
    counted += i % classes != kIgnored;
  }
  const double mean = averaged ? 1 : 0;
  const auto again = [&] {
    dx.spoil();
    check(run_with(run_cross_entropy_backward, 1, {dx.view, g.view, x.view, target.view}, {kIgnored}).ok(),
          "the gradient runs", rows, classes);
    return digest_of(dx.data, 0);
  };
  const auto made_with_losses = [&] {
    made.spoil();
    check(run_with(run_cross_entropy, 2, {loss.view, made.view, x.view, target.view}, {kIgnored, mean}).ok(),
          "cross-entropy runs", rows, classes);
  };
  const auto finished = [&] {
    check(run_with(run_cross_entropy_finish, 1, {made.view, g.view, x.view, target.view}, {kIgnored, mean}).ok(),
          "what is made with the losses is finished", rows, classes);
    return digest_of(made.data, 0);
  };
  made_with_losses();
  check(finished() == again(), "any slope: the same as is made later", rows, classes);
  check(run_with(run_cross_entropy, 1, {alone.view, x.view, target.view}, {kIgnored, mean}).ok() &&
            digest_of(loss.data, 0) == digest_of(alone.data, 0),
        "losses are the same alone", rows, classes);
  // As expected: every loss has the slope of the mean, or 1. What was made is used then, but for the target's place.
  for (T& slope : g.data) slope = T(1) / static_cast<T>(averaged && counted > 0 ? counted : 1);
  made_with_losses();
  check(finished() == again(), "the expected slope: the same as is made later", rows, classes);
  if (classes < 4) return;
  made_with_losses();
  // The target of row 0 does not count, that of row 1 is 1.
  const auto row = static_cast<size_t>(classes);
  made.data[2] = 42, made.data[row + 3] = 43;
  finished();
  check(made.data[2] == 42 && made.data[row + 3] == 43, "what was made is used", rows, classes);
}

}  // namespace

void test_losses() {
  Random r{0x94D049BB133111EBu};
  for (int64_t classes : {1, 2, 7, 40, 1030}) {
    for (bool averaged : {false, true}) {
      check_made<float>(r, 9, classes, averaged);
      check_made<double>(r, 9, classes, averaged);
    }
  }
}

}  // namespace nabla::test
