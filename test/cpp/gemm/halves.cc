// A product of bfloat16 operands is that of their float32 copies, bit for bit.
#include "base/half.h"
#include "check.h"

namespace nabla::test {
namespace {

struct Shape {
  int64_t m, n, k;
};

// The same values twice, in the same layout.
struct Twins {
  Operand<float> wide;
  std::vector<BFloat16> halves;
  bool as_halves;

  Twins(int64_t rows, int64_t cols, Layout layout, uint64_t seed, bool as_halves)
      : wide(rows, cols, layout, seed), as_halves(as_halves) {
    for (size_t i = 0; i < wide.buffer.size(); i++) {
      halves.push_back(i % 7 == 3 ? BFloat16{static_cast<uint16_t>(i % 14 ? 1 : 0x8000)} : to_bfloat16(wide.buffer[i]));
      wide.buffer[i] = widen(halves[i]);
    }
  }
  Matrix matrix() const {
    return as_halves ? Matrix{halves.data() + wide.origin, wide.row_stride, wide.col_stride, true} : wide.matrix();
  }
};

void check_product(Shape s, Layout la, Layout lb, int mode) {
  const int stored = mode % 3 + 1;  // bits: of A, of B
  const Twins a(s.m, s.k, la, 1, stored & 1), b(s.k, s.n, lb, 2, stored & 2);
  const Operand<float> bias(1, s.n, Layout::ROWS, 3);
  const float* added = mode / 3 % 2 ? bias.buffer.data() : nullptr;
  const bool accumulate = mode / 6 % 2;
  Result<float> expected(s.m, s.n, accumulate, 4), c = expected;
  const auto multiply = [&](const Matrix& left, const Matrix& right, Result<float>& out) {
    return gemm(workspace(), DType::F32, s.m, s.n, s.k, left, right, out.data(), out.ldc,
                {added, accumulate ? out.data() : nullptr, out.ldc});
  };
  multiply(a.wide.matrix(), b.wide.matrix(), expected);
  const Status status = multiply(a.matrix(), b.matrix(), c);
  CHECK(status.ok(), "%s", status.message);
  CHECK(same_bits(expected.buffer, c.buffer), "bfloat16 %d: %dx%dx%d layouts %d %d", stored, int(s.m), int(s.n),
        int(s.k), int(la), int(lb));
}

void check_layouts(Shape s, int mode, bool quick) {
  const int layouts = static_cast<int>(Layout::COUNT);
  for (int la = 0; la < layouts; la++) {
    for (int lb = quick ? la % 4 : 0; lb < layouts; lb += quick ? 4 : 1) {
      check_product(s, Layout(la), Layout(lb), mode + 5 * la + lb);
    }
  }
}

void check_batch(int64_t count, int64_t m, int64_t n, int64_t k, bool one_b) {
  const Twins a(count * m, k, Layout::ROWS, 11, true), b(count * k, n, Layout::ROWS, 12, true);
  std::vector<int64_t> a_at, b_at, c_at;
  for (int64_t i = 0; i < count; i++) {
    a_at.push_back(i * m * k);
    b_at.push_back(one_b ? 0 : i * k * n);
    c_at.push_back(i * m * n);
  }
  std::vector<float> expected(static_cast<size_t>(count * m * n)), c = expected;
  const auto multiply = [&](const Matrix& left, const Matrix& right, std::vector<float>& out) {
    return gemm_batched(workspace(), DType::F32, count, m, n, k, left, a_at.data(), right, b_at.data(), out.data(),
                        c_at.data(), n);
  };
  multiply(a.wide.matrix(), b.wide.matrix(), expected);
  CHECK(multiply(a.matrix(), b.matrix(), c).ok(), "a batch");
  CHECK(same_bits(expected, c), "bfloat16: %d items of %dx%dx%d", int(count), int(m), int(n), int(k));
}

}  // namespace

void test_halves(bool quick) {
  int mode = 0;
  for (int64_t m = 0; m <= 9; m++) {
    for (int64_t n : {1, 7, 16, 50}) {
      for (int64_t k : {0, 1, 63, 64, 65, 257}) check_layouts({m, n, k}, mode++, quick);
    }
  }
  const Shape edges[] = {{1, 600, 520}, {600, 1, 300}, {2, 130, 300},  {130, 2, 300}, {13, 47, 257},
                         {20, 270, 31}, {97, 49, 1},   {50, 64, 1030}, {8, 1050, 20}, {3, 7, 4113},
                         {6, 16, 256},  {149, 263, 9}, {67, 83, 520},  {290, 70, 40}, {300, 260, 270}};
  for (Shape s : edges) check_layouts(s, mode++, quick || s.m * s.n * s.k > 1 << 20);
  for (bool one_b : {false, true}) {
    check_batch(40, 7, 9, 33, one_b);
    check_batch(5, 60, 70, 80, one_b);
  }
  if (!quick) check_layouts({2310, 18, 1030}, mode, true);  // several regions
  const BFloat16 one[1] = {{0x3f80}};
  double value = 1;
  const Matrix half{one, 1, 1, true}, wide{&value, 1, 1};
  CHECK(gemm(workspace(), DType::F64, 1, 1, 1, wide, half, &value, 1).code == Code::DTYPE, "beside float64");
}

}  // namespace nabla::test
