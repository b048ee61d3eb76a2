// The same bits from any number of threads, any ISA, any strides, and for any neighbors in the matrix; of dot products
// among themselves, and of all others.
#include "check.h"
#include "kernels/table.h"
#include "runtime/pool.h"

namespace nabla::test {
namespace {

struct Shape {
  int64_t m, n, k;
};

template <class T>
std::vector<T> product(Shape s, const Matrix& a, const Matrix& b) {
  std::vector<T> c(static_cast<size_t>(s.m * s.n));
  gemm(workspace(), dtype_of<T>, s.m, s.n, s.k, a, b, c.data(), s.n);
  return c;
}

// The same values in another layout.
template <class T>
Operand<T> copy_in(const Operand<T>& from, int64_t rows, int64_t cols, Layout layout) {
  Operand<T> to(rows, cols, layout, 0);
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t j = 0; j < cols; j++) to.buffer[to.origin + i * to.row_stride + j * to.col_stride] = from.at(i, j);
  }
  return to;
}

template <class T>
bool takes_dots(Shape s, const Operand<T>& a, const Operand<T>& b) {
  return gemm_takes_dots(s.m, s.n, s.k, a.col_stride, b.row_stride);
}

template <class T>
void check_shape(Shape s, bool scalar_too, Layout b_layout = Layout::ROWS) {
  const Operand<T> a(s.m, s.k, Layout::ROWS, 7), b = copy_in(Operand<T>(s.k, s.n, Layout::ROWS, 8), s.k, s.n, b_layout);
  const bool dots = takes_dots(s, a, b);
  set_thread_limit(1);
  const std::vector<T> expected = product<T>(s, a.matrix(), b.matrix());
  for (int threads : {2, 7}) {
    set_thread_limit(threads);
    CHECK(same_bits(expected, product<T>(s, a.matrix(), b.matrix())), "%dx%dx%d with %d threads", int(s.m), int(s.n),
          int(s.k), threads);
  }
  for (Layout la : {Layout::ROWS, Layout::COLUMNS, Layout::STRIDED, Layout::REVERSED}) {
    for (Layout lb : {Layout::PADDED_ROWS, Layout::PADDED_COLUMNS, Layout::STRIDED, Layout::REVERSED}) {
      const Operand<T> a2 = copy_in(a, s.m, s.k, la), b2 = copy_in(b, s.k, s.n, lb);
      if (takes_dots(s, a2, b2) != dots) continue;
      CHECK(same_bits(expected, product<T>(s, a2.matrix(), b2.matrix())), "%dx%dx%d layouts %d %d", int(s.m), int(s.n),
            int(s.k), int(la), int(lb));
    }
  }
  // A part of the matrix takes another path and must not differ.
  for (int64_t rows : {1, 4, 11}) {
    if (rows > s.m || takes_dots({rows, s.n, s.k}, a, b) != dots) continue;
    const std::vector<T> part = product<T>({rows, s.n, s.k}, a.matrix(), b.matrix());
    CHECK(std::memcmp(part.data(), expected.data(), part.size() * sizeof(T)) == 0, "%d rows of %dx%dx%d", int(rows),
          int(s.m), int(s.n), int(s.k));
  }
  const std::vector<T> column = product<T>({s.m, 1, s.k}, a.matrix(), b.matrix());
  for (int64_t i = 0; i < s.m && takes_dots({s.m, 1, s.k}, a, b) == dots; i++) {
    CHECK(std::memcmp(&column[i], &expected[i * s.n], sizeof(T)) == 0, "a column of %dx%dx%d", int(s.m), int(s.n),
          int(s.k));
  }
  if (!scalar_too) return;
  const char* chosen = kernels().isa;
  const KernelTable* tiers[8];
  const int count = available_isas(tiers, 8);
  for (int t = 0; t < count; t++) {
    force_isa(tiers[t]->isa);
    CHECK(same_bits(expected, product<T>(s, a.matrix(), b.matrix())), "%s of %dx%dx%d", tiers[t]->isa, int(s.m),
          int(s.n), int(s.k));
  }
  force_isa(chosen);
}

template <class T>
void check_shapes() {
  check_shape<T>({2, 16, 32}, true);
  check_shape<T>({31, 45, 300}, true);
  check_shape<T>({100, 100, 600}, true);
  check_shape<T>({1, 700, 900}, true);
  check_shape<T>({128, 10, 256}, true);
  check_shape<T>({300, 520, 610}, false);
  check_shape<T>({9, 4000, 300}, false);
  // Few rows: in one pass over B. Up to kStreamRows: tasks pack their own columns. More: panels packed by all.
  check_shape<T>({8, 1030, 260}, true);
  check_shape<T>({5, 1024, 600}, false);
  check_shape<T>({4, 2060, 300}, false);
  check_shape<T>({32, 768, 520}, true);
  check_shape<T>({280, 512, 300}, false);
  check_shape<T>({290, 512, 300}, false);
  check_shape<T>({4000, 9, 300}, false);
  check_shape<T>({64, 64, 3000}, false);
  check_shape<T>({1, 700, 900}, true, Layout::COLUMNS);
  check_shape<T>({8, 700, 4500}, true, Layout::PADDED_COLUMNS);
  check_shape<T>({11, 90, 300}, true, Layout::COLUMNS);
}

}  // namespace

void test_bits() {
  const int limit = thread_limit();
  check_shapes<float>();
  check_shapes<double>();
  set_thread_limit(limit);
}

}  // namespace nabla::test
