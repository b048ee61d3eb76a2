// What kernels share that work on the last dimension of contiguous tensors, row by row.
#pragma once
#include "base/layout.h"
#include "exec/tuning.h"
#include "runtime/pool.h"

namespace nabla {

inline bool rows_alike(const View& a, const View& b) {
  return same_shape(a, b) && a.rank >= 1 && a.dtype == b.dtype && !b.scalar && a.contiguous() && b.contiguous();
}

// f(row offset in bytes, elements in a row), over all rows.
template <class F>
void over_rows(const View& v, F&& f) {
  int64_t n = v.dims[v.rank - 1];
  if (n == 0) return;
  int64_t rows = v.numel() / n, per_chunk = kRowsChunk / n + 1;
  int64_t size = static_cast<int64_t>(size_of(v.dtype));
  parallel_for((rows + per_chunk - 1) / per_chunk, [&](int64_t chunk) {
    int64_t end = (chunk + 1) * per_chunk < rows ? (chunk + 1) * per_chunk : rows;
    for (int64_t r = chunk * per_chunk; r < end; r++) f(r, r * n * size, n);
  });
}

}  // namespace nabla
