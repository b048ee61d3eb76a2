// The steps of scaled dot-product attention between its matrix products, on blocks of rows `stride` elements apart.
// float32 and float64.
#pragma once
#include <cstdint>

namespace nabla {

enum class AttentionMask { NONE, SEEN, ADDED };

// A block of scores: rows are queries, columns keys.
struct AttentionBlock {
  void* scores;
  int64_t stride, rows, cols;
  // Row r attends to its first `seen + r * seen_step` columns, clamped to [0, cols].
  int64_t seen, seen_step;
  // Bool, true where a key is visible, or numbers that are added; from the block's first element on.
  AttentionMask mask;
  const void* mask_data;
  int64_t mask_row, mask_col;

  int64_t seen_by(int64_t row) const {
    const int64_t n = seen + row * seen_step;
    return n < 0 ? 0 : n < cols ? n : cols;
  }
};

struct AttentionKernels {
  // Scores become exp(score - top), 0 for hidden keys, with `top` the running maximum of the row; `total` is the
  // running sum, `fade` the factor that rescales what was accumulated with the previous top. Columns from the last
  // visible one up to `clear` become 0.
  void (*weigh)(const AttentionBlock& block, int64_t clear, void* top, void* total, void* fade);
  // Scores become exp(score - lse of the row).
  void (*weigh_again)(const AttentionBlock& block, const void* lse);
  // gradient = weights * (gradient - delta of the row), 0 for keys hidden by the block's bounds.
  void (*gradient)(const AttentionBlock& block, void* gradient, int64_t stride, const void* delta);
  // out = x * factor (of the row, or one for all).
  void (*scale)(void* out, int64_t out_row, const void* x, int64_t x_row, int64_t x_col, int64_t rows, int64_t cols,
                double factor, const void* factors);
  // out[r] = sum of a * b over row r.
  void (*dots)(void* out, const void* a, int64_t a_row, const void* b, int64_t b_row, int64_t rows, int64_t cols);
  // out = (x[0] + x[1] + ...) * factor, of `parts` lists of n elements, `stride` apart.
  void (*combine)(void* out, const void* x, int64_t stride, int64_t parts, int64_t n, double factor);
  // out = x / (1 - p) where uniform >= p, else 0.
  void (*drop)(void* out, const void* x, const void* uniform, int64_t n, double p);
  // total becomes 1 / total (0 for 0); lse = top + log(total) (0 for 0).
  void (*finish)(void* total, void* lse, const void* top, int64_t rows);
};

struct AttentionTable {
  AttentionKernels of[2];
};

}  // namespace nabla
