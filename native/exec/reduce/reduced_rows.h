// The elements that go into each result of a reduction as a row, wherever they lie: for kernels that read a row twice.
#pragma once
#include "exec/call.h"
#include "exec/common/dense_like.h"
#include "exec/common/halves.h"
#include "exec/common/tuning.h"
#include "exec/elementwise/elementwise.h"
#include "runtime/pool.h"
#include "runtime/workspace.h"

namespace nabla {

class ReducedRows {
 public:
  explicit ReducedRows(Workspace& workspace) : workspace_(workspace), dense_(workspace) {}

  int64_t rows = 1, n = 1;

  // Of an input, with the dimensions in the mask reduced, for results in the dtype of `out`, which may be halves'
  // float32.
  Status check(const View& out, const View& x, double attr) {
    if (!(attr >= 0 && attr < 1 << kMaxRank) || !out.contiguous() || x.scalar) return fail(Code::NATIVE, kMisfit);
    if (!is_float(out.dtype) || !reads_as(x.dtype, out.dtype)) return fail(Code::DTYPE, "the op is not for this dtype");
    const int mask = static_cast<int>(attr);
    if (mask >> x.rank) return fail(Code::SHAPE, kMisfit);
    type_ = out.dtype;
    from_ = x;
    from_.rank = 0;
    for (bool reduced : {false, true}) {
      for (int d = 0; d < x.rank; d++) {
        if ((mask >> d & 1) != reduced || x.dims[d] == 1) continue;
        from_.dims[from_.rank] = x.dims[d];
        from_.strides[from_.rank++] = x.strides[d];
        (reduced ? n : rows) *= x.dims[d];
      }
      if (!reduced) kept_ = from_.rank;
    }
    return out.numel() == rows ? Status{} : fail(Code::SHAPE, kMisfit);
  }
  // To be called before what follows.
  Status lay_out() {
    if (from_.contiguous() || n <= kReduceChunk) return {};
    const View dense = dense_like(from_, type_, dense_);
    if (!dense.data) return out_of_memory();
    NABLA_TRY(copy(dense, from_));
    from_ = dense;
    return {};
  }

  // f(row, how many, their elements, one row after the other), over all rows.
  template <class F>
  Status blocks(F&& f) const {
    if (rows == 0) return {};
    if (from_.contiguous()) {
      const Source source(from_.data, from_.dtype, type_);
      const int64_t per = kRowsChunk / (n > 0 ? n : 1) + 1;
      parallel_for((rows + per - 1) / per, [&](int64_t chunk) {
        const int64_t first = chunk * per, count = rows - first < per ? rows - first : per;
        Scratch tile(workspace_);
        if (const char* x = source.read(tile, first * n, count * n)) f(first, count, x);
      });
      return source.status();
    }
    // Neighbors in the last of the kept dimensions are gathered together.
    const int last = kept_ - 1;
    const int64_t width = kept_ > 0 ? from_.dims[last] : 1, least = kRowsChunk / n + 1, per = least < 16 ? 16 : least;
    const int64_t pieces = (width + per - 1) / per;
    std::atomic<bool> starved{false};
    parallel_for(rows / width * pieces, [&](int64_t task) {
      const int64_t start = task % pieces * per, count = width - start < per ? width - start : per;
      View piece = from_;
      int64_t at = kept_ > 0 ? start * from_.strides[last] : 0, outer = task / pieces;
      for (int d = last - 1; d >= 0; d--) {
        at += outer % from_.dims[d] * from_.strides[d];
        outer /= from_.dims[d];
      }
      piece.data = from_.as<char>() + at * static_cast<int64_t>(size_of(from_.dtype));
      piece.rank = 0;
      for (int d = last < 0 ? 0 : last; d < from_.rank; d++) {
        piece.dims[piece.rank] = d == last ? count : from_.dims[d];
        piece.strides[piece.rank++] = from_.strides[d];
      }
      Scratch tile(workspace_);
      const View dense = dense_like(piece, type_, tile);
      if (!dense.data || !copy(dense, piece).ok()) return starved.store(true, std::memory_order_relaxed);
      f(task / pieces * width + start, count, dense.as<char>());
    });
    return starved ? out_of_memory() : Status{};
  }

  // How many parts a row of more than kReduceChunk elements is cut into.
  int64_t parts() const { return (n + kReduceChunk - 1) / kReduceChunk; }
  // f(row, which part, its elements, how many), over all parts of all rows.
  template <class F>
  Status each_part(F&& f) const {
    const Source source(from_.data, from_.dtype, type_);
    parallel_for(rows * parts(), [&](int64_t task) {
      const int64_t row = task / parts(), start = task % parts() * kReduceChunk;
      const int64_t count = n - start < kReduceChunk ? n - start : kReduceChunk;
      Scratch tile(workspace_);
      if (const char* x = source.read(tile, row * n + start, count)) f(row, task % parts(), x, count);
    });
    return source.status();
  }

 private:
  static constexpr const char* kMisfit = "the operands do not fit the kernel";

  View from_;     // the kept dimensions, then the others
  int kept_ = 0;  // how many dimensions are kept
  DType type_ = DType::F32;
  Workspace& workspace_;
  Scratch dense_;
};

}  // namespace nabla
