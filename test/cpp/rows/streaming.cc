// Rows of results so large that they are written by streaming stores: the same bits as those of a few rows, and no
// others.
#include <algorithm>
#include <cstring>

#include "check.h"
#include "exec/common/tuning.h"
#include "exec/loss/cross_entropy.h"
#include "exec/norm/norm.h"
#include "exec/norm/softmax.h"
#include "runtime/memory.h"

namespace nabla::test {
namespace {

// In a block of the allocator, as rows of tensors are.
template <class T>
struct Rows {
  Scratch memory{workspace()};
  View view;

  Rows(int64_t rows, int64_t n) {
    view.dtype = DTypeOf<T>::value;
    view.rank = 2;
    view.dims[0] = rows, view.dims[1] = n;
    set_contiguous(view);
    view.data = memory.get<T>(rows * n);
    if (!view.data) std::abort();
  }
  T* values() const { return static_cast<T*>(view.data); }
  int64_t bytes() const { return view.numel() * static_cast<int64_t>(sizeof(T)); }
  void fill(Random& r) {
    for (int64_t i = 0; i < view.numel(); i++) values()[i] = static_cast<T>(r.number());
  }
  void spoil() { std::memset(view.data, 0xFF, static_cast<size_t>(bytes())); }
  View first(int64_t rows) const {
    View v = view;
    v.dims[0] = rows;
    return v;
  }
};

template <class T>
void check_rows(Random& r, int64_t n) {
  const int64_t rows = kStreamed / (n * static_cast<int64_t>(sizeof(T))) + 1, few = 9;
  Rows<T> x(rows, n), g(rows, n), y(rows, n), part(few, n);
  Tensor<T> w({n}), dw({n}), db({n}), slopes({rows}), loss({rows});
  Tensor<int32_t> target({rows});
  x.fill(r), g.fill(r), w.fill(r), slopes.fill(r);
  for (int64_t i = 0; i < rows; i++) target.data[static_cast<size_t>(i)] = static_cast<int32_t>(i % n);
  const auto top = [&](View v, int64_t count) {
    v.dims[0] = count;
    return v;
  };
  // run(out, rows) of all rows, and of the first few alone.
  const auto compare = [&](const char* what, bool expected, auto&& run) {
    y.spoil(), part.spoil();
    int64_t before = times_streamed();
    check(run(y.view, rows).ok(), what, rows, n);
    check((times_streamed() > before) == expected, what, rows, n);
    before = times_streamed();
    check(run(part.view, few).ok() && times_streamed() == before, what, few, n);
    check(std::memcmp(y.view.data, part.view.data, static_cast<size_t>(part.bytes())) == 0, what, few, n);
    tally.digest = tally.digest * 31 + digest_of(std::vector<T>(y.values(), y.values() + y.view.numel()), 0);
  };
  const bool lines = n * sizeof(T) % 64 == 0, short_rows = n * static_cast<int64_t>(sizeof(T)) <= kRowWork;
  compare("softmax", short_rows, [&](View out, int64_t m) { return run_with(run_softmax, 1, {out, x.first(m)}, {}); });
  compare("logSoftmax", short_rows,
          [&](View out, int64_t m) { return run_with(run_log_softmax, 1, {out, x.first(m)}, {}); });
  compare("the gradient of softmax", true,
          [&](View out, int64_t m) { return run_with(run_softmax_backward, 1, {out, g.first(m), x.first(m)}, {}); });
  compare("the gradient of logSoftmax", true, [&](View out, int64_t m) {
    return run_with(run_log_softmax_backward, 1, {out, g.first(m), x.first(m)}, {});
  });
  compare("the gradient of cross-entropy", true, [&](View out, int64_t m) {
    return run_with(run_cross_entropy_backward, 1, {out, top(slopes.view, m), x.first(m), top(target.view, m)}, {-100});
  });
  // With the slopes that are expected, which leave what was made with the losses, and with others.
  for (const bool expected : {false, true}) {
    if (expected) std::fill(slopes.data.begin(), slopes.data.end(), T(1));
    compare("the gradient made with the losses", true, [&](View out, int64_t m) {
      const View of_losses = top(loss.view, m), x_rows = x.first(m), targets = top(target.view, m);
      const Status made = run_with(run_cross_entropy, 2, {of_losses, out, x_rows, targets}, {-100, 0});
      if (!made.ok()) return made;
      return run_with(run_cross_entropy_finish, 1, {out, top(slopes.view, m), x_rows, targets}, {-100, 0});
    });
  }
  compare("a norm", lines, [&](View out, int64_t m) {
    return run_with(run_standardize, 1, {out, x.first(m), w.view, w.view}, {1e-5, 1});
  });
  compare("the gradient of a norm", lines, [&](View out, int64_t m) {
    return run_with(run_standardize_backward, 1, {out, g.first(m), x.first(m)}, {1e-5, 1});
  });
  compare("the gradient of a norm with a weight", lines, [&](View out, int64_t m) {
    return run_with(run_scaled_norm_backward, 3, {out, dw.view, db.view, g.first(m), x.first(m), w.view}, {1e-5, 1});
  });
}

}  // namespace

void test_streaming() {
  Random r{0xBF58476D1CE4E5B9u};
  for (int64_t n : {1024, 1021, 70001}) check_rows<float>(r, n);
  check_rows<double>(r, 776);
}

}  // namespace nabla::test
