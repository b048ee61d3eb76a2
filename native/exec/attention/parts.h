// Shared by attention's forward and backward: the operands, and products with packed panels.
#pragma once
#include "base/layout.h"
#include "exec/matmul/gemm_plan.h"
#include "exec/random/random.h"
#include "kernels/attention.h"
#include "kernels/table.h"
#include "runtime/workspace.h"

namespace nabla {

constexpr int64_t kAttentionRow = 1024;  // rows of scores up to this length are one block
constexpr int64_t kAttentionQueries = 96;  // queries of a block of the backward pass
constexpr int64_t kAttentionPad = 16;    // elements that keep rows of scores from falling into the same cache sets

// Elements from one row of scores to the next.
inline int64_t attention_row(int64_t keys) { return round_up(keys, kAttentionPad) + kAttentionPad; }

// Sizes, strides of the last two dimensions, and where each item of the batch begins, all in elements.
struct Attention {
  int64_t items, groups, queries, keys, size, width;
  int64_t kept = 0;  // from one row of kept weights to the next; its last element is the row's factor
  DType type;        // that of the arithmetic
  double scale, p;
  bool causal;
  RandomStream stream;
  View query, key, value, mask;
  AttentionMask masking;

  // out is [.., g, l, v]; the operands are checked against it.
  Status open(const Call& call, const View& out, int first, int mask_at);
  // Determines from its shape what the forward pass kept: weights, or log-sum-exps.
  Status take(const View& residual, const View& out);
  int64_t rows() const { return items * groups * queries; }
  // The result in the dtype of the arithmetic, which the forward pass has kept of halves.
  template <class T>
  T* unrounded(const View& residual) const {
    return residual.as<T>() + rows() * larger(kept, 1);
  }

  // The first element of batch item i, and of group g if any, in operand v.
  int64_t item(const View& v, bool grouped, int64_t i, int64_t g) const {
    const int batch = v.rank - (grouped ? 3 : 2);
    int64_t at = grouped ? g * v.strides[v.rank - 3] : 0;
    for (int d = batch - 1; d >= 0; d--) {
      at += i % v.dims[d] * v.strides[d];
      i /= v.dims[d];
    }
    return at;
  }
  // Rows of a matrix, in place or, of halves, converted into a tile.
  template <class T>
  struct Matrix {
    const T* data;
    int64_t row, col;  // strides
  };
  template <class T>
  Matrix<T> read(const View& v, bool grouped, int64_t i, int64_t g, int64_t row, int64_t rows, T* tile) const {
    const int64_t step = v.strides[v.rank - 2], col = v.strides[v.rank - 1], n = v.dims[v.rank - 1];
    const int64_t from = item(v, grouped, i, g) + row * step, size = static_cast<int64_t>(size_of(v.dtype));
    if (v.dtype == type) return {v.as<T>() + from, step, col};
    const ConvertFn widen = kernels().convert.gather[static_cast<int>(type)][static_cast<int>(v.dtype)];
    const bool dense = step == n && col == 1;
    for (int64_t r = 0; r < rows; r += dense ? rows : 1)
      widen(tile + r * n, v.as<char>() + (from + r * step) * size, col, dense ? rows * n : n);
    return {tile, n, 1};
  }

  // Queries [row, row + rows) against keys [col, col + cols) of group g of item i; the scores lie at `scores`.
  template <class T>
  AttentionBlock block(T* scores, int64_t stride, int64_t i, int64_t g, int64_t row, int64_t rows, int64_t col,
                       int64_t cols) const {
    AttentionBlock b{};
    b.scores = scores;
    b.stride = stride;
    b.rows = rows;
    b.cols = cols;
    b.seen = causal ? row + 1 - col : cols;
    b.seen_step = causal;
    b.mask = masking;
    if (masking != AttentionMask::NONE) {
      b.mask_row = mask.strides[mask.rank - 2];
      b.mask_col = mask.strides[mask.rank - 1];
      const int64_t from = item(mask, true, i, g) + row * b.mask_row + col * b.mask_col;
      b.mask_data = mask.as<char>() + from * static_cast<int64_t>(size_of(mask.dtype));
    }
    return b;
  }
  // How many of the keys [col, col + cols) any of the first `queries` queries attends to.
  int64_t seen(int64_t col, int64_t cols, int64_t queries_end) const {
    return causal ? smaller(cols, queries_end - col) : cols;
  }

  // Applies dropout to weights [col, col + cols) of a row; `uniform` has room for as many.
  template <class T>
  void drop(const AttentionKernels& kernels, T* out, const T* weights, T* uniform, int64_t i, int64_t g, int64_t row,
            int64_t col, int64_t cols) const {
    const int64_t start = ((i * groups + g) * queries + row) * keys + col;
    nabla::kernels().random.uniform[sizeof(T) == 8](uniform, start, cols, stream);
    kernels.drop(out, weights, uniform, cols, p);
  }
};

template <class T>
const GemmKernels<T>& attention_gemm() {
  if constexpr (sizeof(T) == 4)
    return kernels().gemm.f32;
  else
    return kernels().gemm.f64;
}

// C[m, n] (+)= A[m, k] B[k, n], with B unpacked, stored in rows.
template <class T>
void multiply_rows(const GemmKernels<T>& kernels, int64_t m, int64_t n, int64_t k, const T* a, int64_t a_row,
                   int64_t a_k, const T* b, int64_t b_k, T* c, int64_t ldc, bool accumulate) {
  for (int64_t d = 0; d == 0 || d < k; d += kGemmDepth) {
    kernels.block({m, n, smaller(k - d, kGemmDepth), a + d * a_k, a_row, a_k, 0, b + d * b_k, b_k, kernels.nr, c, ldc,
                   accumulate || d > 0 ? c : nullptr, ldc});
  }
}

// A matrix B[k, n] in panels.
template <class T>
struct Panels {
  T* data;
  int64_t n, k;

  static int64_t elements(const GemmKernels<T>& kernels, int64_t n, int64_t k) {
    return count(larger(k, 1), kGemmDepth) * count(n, kernels.nr) * gemm_panel(kernels.nr, smaller(k, kGemmDepth));
  }
  void pack(const GemmKernels<T>& kernels, const T* b, int64_t b_k, int64_t b_col) const {
    for (int64_t d = 0; d < k; d += kGemmDepth)
      kernels.pack_b(at(kernels, d), b + d * b_k, b_k, b_col, n, smaller(k - d, kGemmDepth));
  }
  // C[m, cols] (+)= A[m, depth] B[0 .. depth, 0 .. cols].
  void multiply(const GemmKernels<T>& kernels, int64_t m, int64_t cols, int64_t depth, const T* a, int64_t a_row, T* c,
                int64_t ldc, bool accumulate) const {
    for (int64_t d = 0; d == 0 || d < depth; d += kGemmDepth) {
      kernels.block({m, cols, smaller(depth - d, kGemmDepth), a + d, a_row, 1, 0, at(kernels, d), kernels.nr,
                     gemm_panel(kernels.nr, smaller(k - d, kGemmDepth)), c, ldc, accumulate || d > 0 ? c : nullptr,
                     ldc});
    }
  }

 private:
  T* at(const GemmKernels<T>& kernels, int64_t d) const {
    return data + d / kGemmDepth * count(n, kernels.nr) * gemm_panel(kernels.nr, smaller(k, kGemmDepth));
  }
};

// Allocates parts of one block of memory; a first pass only computes the total size.
template <class T>
class Parts {
 public:
  explicit Parts(T* memory = nullptr) : next_(memory) {}
  T* take(int64_t elements) {
    T* part = next_;
    const int64_t padded = round_up(elements, 16);
    taken_ += padded;
    if (next_) next_ += padded;
    return part;
  }
  int64_t taken() const { return taken_; }

 private:
  T* next_;
  int64_t taken_ = 0;
};

}  // namespace nabla
