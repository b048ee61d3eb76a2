// Every shape, layout, accumulation and bias against the definition, bit for bit; and against long double.
#include "check.h"

namespace nabla::test {
namespace {

struct Shape {
  int64_t m, n, k;
};

template <class T>
void check_product(Shape s, Layout la, Layout lb, bool accumulate, bool with_bias, bool relu = false) {
  const Operand<T> a(s.m, s.k, la, 1), b(s.k, s.n, lb, 2);
  const Operand<T> bias(1, s.n, Layout::ROWS, 3);
  const T* bias_row = with_bias ? bias.buffer.data() : nullptr;
  Result<T> c(s.m, s.n, accumulate, 4), before = c;
  // Either C itself or what it started as.
  const T* addend = !accumulate ? nullptr : (s.m + s.n) % 2 ? c.data() : before.data();
  const Status status = gemm(workspace(), dtype_of<T>, s.m, s.n, s.k, a.matrix(), b.matrix(), c.data(), c.ldc,
                             {bias_row, addend, c.ldc, relu});
  CHECK(status.ok(), "%s", status.message);
  const bool dots = gemm_takes_dots(s.m, s.n, s.k, a.col_stride, b.row_stride);
  int64_t wrong = 0;
  for (int64_t i = 0; i < s.m; i++) {
    for (int64_t j = 0; j < s.n; j++) {
      T expected = defined_element(a, b, i, j, s.k, accumulate, before(i, j), bias_row, dots);
      if (relu && expected < 0) expected = 0;
      wrong += std::memcmp(&expected, &c(i, j), sizeof(T)) != 0;
    }
  }
  CHECK(wrong == 0, "%s %dx%dx%d layouts %d %d accumulate %d bias %d: %d wrong", kDTypeNames[int(dtype_of<T>)],
        int(s.m), int(s.n), int(s.k), int(la), int(lb), accumulate, with_bias, int(wrong));
  CHECK(c.gaps_intact(), "%dx%dx%d layouts %d %d wrote outside C", int(s.m), int(s.n), int(s.k), int(la), int(lb));
}

template <class T>
void check_layouts(Shape s, bool quick) {
  const int layouts = static_cast<int>(Layout::COUNT);
  for (int la = 0; la < layouts; la++) {
    for (int lb = quick ? la % 4 : 0; lb < layouts; lb += quick ? 4 : 1) {
      const int mode = la + lb;
      check_product<T>(s, Layout(la), Layout(lb), mode & 1, mode & 2, std::is_floating_point_v<T> && mode % 3 == 0);
    }
  }
}

template <class T>
void check_shapes(bool quick) {
  const int64_t tiny[] = {0, 1, 2, 3, 5, 8};
  for (int64_t m : tiny) {
    for (int64_t n : tiny) {
      for (int64_t k : tiny) check_layouts<T>({m, n, k}, quick);
    }
  }
  for (int64_t m = 1; m <= 14; m++) {
    for (int64_t n : {4, 7, 9, 15, 16, 17, 31, 33}) check_layouts<T>({m, n, 19}, quick);
  }
  const Shape edges[] = {{1, 17, 255},  {1, 600, 257}, {600, 1, 300}, {1, 1, 513},   {7, 40, 256},   {13, 47, 257},
                         {49, 33, 255}, {55, 70, 40},  {61, 35, 513}, {150, 20, 33}, {20, 270, 31},  {149, 263, 9},
                         {2, 130, 300}, {130, 2, 300}, {97, 49, 1},   {49, 97, 2},   {50, 64, 1030}, {6, 16, 256},
                         {3, 1050, 20}, {8, 1050, 20}, {7, 530, 260}, {8, 256, 270}, {40, 256, 270}};
  for (Shape s : edges) check_layouts<T>(s, quick);
  for (bool accumulate : {false, true}) {
    for (bool bias : {false, true}) {
      for (int64_t k : {0, 5, 63, 64, 256, 2047, 2048, 2050, 4700, 8200}) {
        check_product<T>({1, 1, k}, Layout::ROWS, Layout::COLUMNS, accumulate, bias);
      }
      check_product<T>({67, 83, 520}, Layout::ROWS, Layout::ROWS, accumulate, bias);
      check_product<T>({67, 83, 520}, Layout::COLUMNS, Layout::COLUMNS, accumulate, bias);
      for (int64_t m = 1; m <= 9; m++) {
        check_product<T>({m, 83, 520}, Layout::PADDED_ROWS, Layout::COLUMNS, accumulate, bias);
        check_product<T>({m, 50 + m, 65 + m}, Layout::ROWS, Layout::PADDED_COLUMNS, accumulate, bias);
      }
      check_product<T>({3, 7, 4113}, Layout::ROWS, Layout::COLUMNS, accumulate, bias);
      check_product<T>({83, 1, 520}, Layout::ROWS, Layout::COLUMNS, accumulate, bias);
      check_product<T>({83, 1, 520}, Layout::COLUMNS, Layout::ROWS, accumulate, bias);
      check_product<T>({5, 9, 0}, Layout::ROWS, Layout::ROWS, accumulate, bias);
    }
  }
  if (quick) return;
  // More than one region in each dimension.
  check_product<T>({2310, 18, 1030}, Layout::COLUMNS, Layout::COLUMNS, false, true);
  check_product<T>({50, 2330, 1030}, Layout::ROWS, Layout::COLUMNS, true, true);
}

template <class T>
void check_accuracy(Shape s) {
  const Operand<T> a(s.m, s.k, Layout::ROWS, 5), b(s.k, s.n, Layout::COLUMNS, 6);
  Result<T> c(s.m, s.n, false, 0);
  gemm(workspace(), dtype_of<T>, s.m, s.n, s.k, a.matrix(), b.matrix(), c.data(), c.ldc);
  long double worst = 0;
  for (int64_t i = 0; i < s.m; i++) {
    for (int64_t j = 0; j < s.n; j++) {
      long double sum = 0, magnitude = 0;
      for (int64_t p = 0; p < s.k; p++) {
        const long double product = static_cast<long double>(a.at(i, p)) * b.at(p, j);
        sum += product;
        magnitude += std::fabs(product);
      }
      worst = std::fmax(worst, std::fabs(c(i, j) - sum) / magnitude);
    }
  }
  const long double steps = static_cast<long double>(kGemmDepth + s.k / kGemmDepth + 1);
  const long double bound = steps * std::numeric_limits<T>::epsilon() / 2;
  CHECK(worst <= bound, "%s error %Lg, bound %Lg", kDTypeNames[int(dtype_of<T>)], worst, bound);
}

void check_refusals() {
  uint8_t value[1] = {1};
  const Matrix one{value, 1, 1};
  for (DType t : {DType::U8, DType::BOOL}) {
    CHECK(gemm(workspace(), t, 1, 1, 1, one, one, value, 1).code == Code::DTYPE, "dtype %d", int(t));
    const int64_t offsets[1] = {0};
    CHECK(gemm_batched(workspace(), t, 1, 1, 1, 1, one, offsets, one, offsets, value, offsets, 1).code == Code::DTYPE,
          "dtype %d", int(t));
  }
}

}  // namespace

void test_values(bool quick) {
  check_shapes<float>(quick);
  check_shapes<double>(quick);
  check_shapes<int32_t>(quick);
  check_shapes<int64_t>(quick);
  for (int64_t m : {70, 7}) {
    check_accuracy<float>({m, 90, 1500});
    check_accuracy<double>({m, 90, 1500});
  }
  check_accuracy<float>({1, 9, 20000});
  check_refusals();
}

}  // namespace nabla::test
