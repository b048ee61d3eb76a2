// Matrix multiplication kernels. Every element of C is the sum, in order, of partial sums. A partial sum of a chain
// covers kGemmDepth values of k by consecutive fused multiply-adds, starting from zero. That of a dot product covers
// kGemmDotDepth values: kGemmDotLanes interleaved chains, folded by halves until one is left. gemm_takes_dots() decides
// which elements are which. No kernel deviates from this order.
#pragma once
#include <cstdint>

#include "base/dtype.h"

namespace nabla {

// Part of the definition of the result, so the same for every ISA and dtype.
constexpr int64_t kGemmDepth = 256;
template <class T>
constexpr int kGemmDotLanes = 64 / sizeof(T);
template <class T>
constexpr int64_t kGemmDotDepth = kGemmDotLanes<T> * kGemmDepth;

// C[m, n] = A[m, k] * B[k, n] (+ addend) (+ bias), or 0 where that is less and `relu`; any strides in A and B, unit
// column stride in C and the addend, which may be C itself. A and B are stored as T, or in halves that become T while
// they are read.
template <class T, class A = T, class B = T>
struct GemmProblem {
  int64_t m, n, k;
  const A* a;
  int64_t a_row, a_k;
  const B* b;
  int64_t b_k, b_col;
  T* c;
  int64_t ldc;
  const T* addend = nullptr;
  int64_t addend_row = 0;
  const T* bias = nullptr;
  bool relu = false;
};

// One partial sum of such a problem, k at most kGemmDepth. A and B are packed, or in place (B stored in rows).
template <class T>
struct GemmBlock {
  int64_t m, n, k;
  const T* a;
  int64_t a_row, a_k;
  int64_t a_panel;  // from one packed panel to the next; 0 where A is not packed
  const T* b;
  int64_t b_k;
  int64_t b_panel;  // from one packed panel to the next; nr where B is not packed
  T* c;
  int64_t ldc;
  const T* addend = nullptr;
  int64_t addend_row = 0;
  const T* bias = nullptr;
  bool relu = false;
  bool far = false;  // B is not in the cache yet, nor what comes next to it
};

// Y[m, n] = X[m, k] * B[k, n] (+ addend) (+ bias), or 0 as above, for m of at most kGemmVectorRows; B has unit stride
// along n or along k.
constexpr int64_t kGemmVectorRows = 8;
constexpr int64_t kGemmDotsFrom = 64;  // values of k

// Whether the elements of A[m, k] * B[k, n] are dot products: so few vectors use a value of the other operand, which
// lies along k, that transposing it, which a chain needs, would take longer than the product. Leaves want both along k.
inline bool gemm_takes_dots(int64_t m, int64_t n, int64_t k, int64_t a_k, int64_t b_k) {
  return k >= kGemmDotsFrom && ((m <= kGemmVectorRows && (b_k == 1 || n == 1)) || (n == 1 && a_k == 1));
}

template <class T, class B = T>
struct GemmVector {
  int64_t m, n, k;
  const T* x;
  int64_t x_row, x_k;
  const B* b;
  int64_t b_k, b_col;
  T* y;
  int64_t y_row, y_col;
  const T* addend;
  int64_t addend_row, addend_col;
  const T* bias;
  int64_t bias_col;
  bool relu;
};

// The kernels for operands stored as S.
template <class T, class S>
struct GemmReaders {
  // Panels of at most mr rows of A, element (row, k) at k * mr + row; rows are shared out as block() expects.
  void (*pack_a)(T* panels, const S* a, int64_t a_row, int64_t a_k, int64_t m, int64_t k);
  // Panels of nr columns of B, element (k, column) at k * nr + column.
  void (*pack_b)(T* panels, const S* b, int64_t b_k, int64_t b_col, int64_t n, int64_t k);
  void (*vector)(const GemmVector<T, S>& vector);
};

// Cache parameters of the processors with an instruction set. They never change the result.
struct GemmCaches {
  int64_t region_depth;  // of k packed at a time for all tasks, a multiple of kGemmDepth
  int64_t task_cols;  // columns x depth of packed B stay in L2 or close
  int64_t tall_bytes;  // of packed A that a task of a large product goes through
  // B in rows stays as it is for up to so many rows of A: where B has at most near_bytes, where it has more, and, in
  // tiles, where its lines crowd into few sets of L1.
  int64_t near_bytes, near_rows, far_rows, crowded_tiles;
  int64_t loose_bytes;  // of A, where it lies along k, that stay as they are
  int64_t crowded_rows;  // of A that take one pass over B where the lines of its columns all crowd into the same sets
};
constexpr int64_t kAnyRows = INT64_MAX;
// Tuned on a core with 32 KB of L1, 512 KB of L2 and an L3 that is nearly as fast.
constexpr GemmCaches kGemmSmallCaches = {.region_depth = 4 * kGemmDepth,
                                         .task_cols = 256,
                                         .tall_bytes = 288 << 10,
                                         .near_bytes = 128 << 10,
                                         .near_rows = kAnyRows,
                                         .far_rows = 144,
                                         .crowded_tiles = 2,
                                         .loose_bytes = 512 << 10,
                                         .crowded_rows = kGemmVectorRows};
// Tuned on a core with 48 KB of L1, 2 MB of L2 and a far L3.
constexpr GemmCaches kGemmLargeCaches = {.region_depth = kGemmDepth,
                                         .task_cols = 512,
                                         .tall_bytes = 576 << 10,
                                         .near_bytes = 3 << 20,
                                         .near_rows = 288,
                                         .far_rows = 96,
                                         .crowded_tiles = 8,
                                         .loose_bytes = 2 << 20,
                                         .crowded_rows = kGemmVectorRows / 2};

template <class T>
struct GemmKernels : GemmReaders<T, T> {
  int64_t mr, nr;  // the register tile
  GemmCaches caches;
  void (*block)(const GemmBlock<T>& block);
};

// Elements from one packed panel to the next. Packing stores whole vectors, past the last element too.
static constexpr int64_t gemm_panel(int64_t width, int64_t k) { return width * k + 16; }

struct GemmTable {
  GemmKernels<float> f32;
  GemmReaders<float, BFloat16> bf16;
  GemmKernels<double> f64;
  void (*i32)(const GemmProblem<int32_t>& problem);
  void (*i64)(const GemmProblem<int64_t>& problem);
};

}  // namespace nabla
