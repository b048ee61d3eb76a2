// A batch is its items one by one, whatever the offsets: broadcast, gathered, adjacent.
#include <algorithm>

#include "check.h"
#include "runtime/pool.h"

namespace nabla::test {
namespace {

struct Batch {
  int64_t count, m, n, k;
  int64_t a_step, b_step;  // in whole items; 0 repeats the first
  bool reversed;
  bool addends = false;
};

template <class T>
void check_batch(const Batch& s, int threads) {
  const Operand<T> a(s.count * s.m, s.k, Layout::ROWS, 11), b(s.count * s.k, s.n, Layout::ROWS, 12);
  const Operand<T> addends(s.count * s.m, s.n, Layout::PADDED_ROWS, 13), bias(1, s.n, Layout::ROWS, 14);
  GemmEpilogue epilogue;
  if (s.addends) epilogue = {bias.buffer.data(), addends.buffer.data(), addends.row_stride};
  std::vector<int64_t> a_offsets, b_offsets, c_offsets, addend_offsets;
  for (int64_t i = 0; i < s.count; i++) {
    const int64_t item = s.reversed ? s.count - 1 - i : i;
    a_offsets.push_back(item * s.a_step * s.m * s.k);
    b_offsets.push_back(item * s.b_step * s.k * s.n);
    c_offsets.push_back(item * s.m * s.n);
    addend_offsets.push_back(item * s.m * addends.row_stride);
  }
  std::vector<T> expected(static_cast<size_t>(s.count * s.m * s.n), T(7)), actual = expected;
  for (int64_t i = 0; i < s.count; i++) {
    GemmEpilogue own = epilogue;
    if (s.addends) own.addend = addends.buffer.data() + addend_offsets[i];
    gemm(workspace(), dtype_of<T>, s.m, s.n, s.k, {a.buffer.data() + a_offsets[i], s.k, 1},
         {b.buffer.data() + b_offsets[i], s.n, 1}, expected.data() + c_offsets[i], s.n, own);
  }
  set_thread_limit(threads);
  const Status status =
      gemm_batched(workspace(), dtype_of<T>, s.count, s.m, s.n, s.k, a.matrix(), a_offsets.data(), b.matrix(),
                   b_offsets.data(), actual.data(), c_offsets.data(), s.n, epilogue, addend_offsets.data());
  CHECK(status.ok(), "%s", status.message);
  CHECK(same_bits(expected, actual), "%d items of %dx%dx%d, steps %d %d", int(s.count), int(s.m), int(s.n), int(s.k),
        int(s.a_step), int(s.b_step));
}

}  // namespace

void test_batches() {
  const int limit = thread_limit();
  const Batch batches[] = {
      {0, 3, 4, 5, 1, 1, false},         {1, 3, 4, 5, 1, 1, false},           {200, 7, 9, 33, 1, 1, false},
      {40, 7, 9, 33, 1, 0, false},       {40, 7, 9, 33, 0, 1, true},          {5, 120, 130, 140, 1, 1, true},
      {3, 120, 130, 140, 1, 0, false},   {300, 1, 20, 30, 1, 1, true},        {12, 64, 64, 64, 1, 1, false},
      {40, 7, 9, 33, 1, 0, false, true}, {5, 120, 130, 140, 1, 1, true, true}};
  for (const Batch& s : batches) {
    for (int threads : {1, 2, 7}) {
      check_batch<float>(s, threads);
      check_batch<double>(s, threads);
      check_batch<int32_t>(s, threads);
    }
  }
  set_thread_limit(limit);
}

}  // namespace nabla::test
