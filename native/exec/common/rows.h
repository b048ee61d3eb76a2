// Shared by kernels on the last dimension of contiguous tensors, row by row.
#pragma once
#include "base/layout.h"
#include "exec/common/halves.h"
#include "exec/common/tuning.h"
#include "runtime/memory.h"
#include "runtime/pool.h"

namespace nabla {

inline bool rows_alike(const View& a, const View& b) {
  return same_shape(a, b) && a.rank >= 1 && a.dtype == b.dtype && !b.scalar && a.contiguous() && b.contiguous();
}

// Whether x has rows like `out`, in its dtype or half precision.
inline bool rows_read_as(const View& out, const View& x) {
  View wide = x;
  if (reads_as(x.dtype, out.dtype)) wide.dtype = out.dtype;
  return rows_alike(out, wide);
}

inline bool exceeds_cache(const View& out) {
  return out.numel() * static_cast<int64_t>(size_of(out.dtype)) >= kStreamed;
}
// Whether each row consists of whole cache lines.
inline bool rows_are_lines(const View& v) {
  return v.dims[v.rank - 1] * static_cast<int64_t>(size_of(v.dtype)) % 64 == 0 &&
         reinterpret_cast<uintptr_t>(v.data) % 64 == 0;
}

// f(offset in bytes, rows, elements in a row), over all rows; f uses streaming stores where `streaming`.
template <class F>
void over_row_blocks(const View& v, bool streaming, F&& f) {
  const int64_t n = v.dims[v.rank - 1];
  if (n == 0) return;
  const int64_t rows = v.numel() / n, per_chunk = kRowsChunk / n + 1,
                row_bytes = n * static_cast<int64_t>(size_of(v.dtype));
  parallel_for((rows + per_chunk - 1) / per_chunk, [&](int64_t chunk) {
    const int64_t first = chunk * per_chunk, count = rows - first < per_chunk ? rows - first : per_chunk;
    f(first * row_bytes, count, n);
    if (streaming) end_streaming();
  });
}

// f(row, its offset in bytes, elements in it), likewise.
template <class F>
void over_rows(const View& v, bool streaming, F&& f) {
  over_row_blocks(v, streaming, [&](int64_t at, int64_t rows, int64_t n) {
    const int64_t row_bytes = n * static_cast<int64_t>(size_of(v.dtype)), first = at / row_bytes;
    for (int64_t r = first; r < first + rows; r++) f(r, r * row_bytes, n);
  });
}

}  // namespace nabla
