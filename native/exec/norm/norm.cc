#include "exec/norm/norm.h"

#include <cstring>

#include "exec/common/rows.h"
#include "kernels/table.h"
#include "runtime/workspace.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";
constexpr const char* kNoDType = "the op is not defined for this dtype";

constexpr int64_t kNormChunks = 64;  // each has sums of its own for weight and bias

bool along_row(const View& v, const View& x) {
  return !v.scalar && v.rank == 1 && v.dims[0] == x.dims[x.rank - 1] && v.dtype == x.dtype && v.contiguous();
}

}  // namespace

Status run_standardize(const Call& call) {
  if (call.n_out != 1 || call.n_in < 1 || call.n_in > 3 || call.n_attr != 2) return fail(Code::NATIVE, kOperands);
  const View &y = call.out(), &x = call.in(0);
  if (!is_float(y.dtype)) return fail(Code::DTYPE, kNoDType);
  if (!rows_read_as(y, x)) return fail(Code::SHAPE, kOperands);
  for (int i = 1; i < call.n_in; i++)
    if (!along_row(call.in(i), y)) return fail(Code::SHAPE, kOperands, i + 1);
  const void* weight = call.n_in > 1 ? call.in(1).data : nullptr;
  const void* bias = call.n_in > 2 ? call.in(2).data : nullptr;
  StandardizeFn leaf = kernels().norm.standardize[y.dtype == DType::F64];
  const bool streaming = exceeds_cache(y) && rows_are_lines(y);
  const Source source(x.data, x.dtype, y.dtype);
  over_row_blocks(y, streaming, [&](int64_t at, int64_t rows, int64_t n) {
    Scratch tile(call.workspace);
    const char* from = source.read(tile, at / static_cast<int64_t>(size_of(y.dtype)), rows * n);
    if (from) leaf(y.as<char>() + at, from, weight, bias, call.attrs[0], call.attrs[1] != 0, streaming, rows, n);
  });
  return source.status();
}

Status run_standardize_backward(const Call& call) {
  if (call.n_out != 1 || call.n_in != 2 || call.n_attr != 2) return fail(Code::NATIVE, kOperands);
  const View &dx = call.out(), &g = call.in(0), &x = call.in(1);
  if (!is_float(dx.dtype)) return fail(Code::DTYPE, kNoDType);
  if (!rows_alike(dx, g) || !rows_alike(dx, x)) return fail(Code::SHAPE, kOperands);
  StandardizeBackwardFn leaf = kernels().norm.backward[dx.dtype == DType::F64];
  const bool streaming = exceeds_cache(dx) && rows_are_lines(dx);
  over_row_blocks(dx, streaming, [&](int64_t at, int64_t rows, int64_t n) {
    leaf(dx.as<char>() + at, g.as<char>() + at, x.as<char>() + at, call.attrs[0], call.attrs[1] != 0, streaming, rows,
         n);
  });
  return {};
}

Status run_scaled_norm_backward(const Call& call) {
  if (call.n_out != 3 || call.n_in != 3 || call.n_attr != 2) return fail(Code::NATIVE, kOperands);
  const View &dx = call.out(0), &dw = call.out(1), &db = call.out(2);
  const View &g = call.in(0), &x = call.in(1), &weight = call.in(2);
  if (!is_float(x.dtype)) return fail(Code::DTYPE, kNoDType);
  if (!rows_alike(x, g) || x.scalar || !rows_alike(dx, x) || !along_row(weight, x) || !along_row(dw, x) ||
      !along_row(db, x))
    return fail(Code::SHAPE, kOperands);
  const int64_t n = x.dims[x.rank - 1], total = x.numel(), size = static_cast<int64_t>(size_of(x.dtype));
  if (total == 0) {
    std::memset(dw.data, 0, static_cast<size_t>(n * size));
    std::memset(db.data, 0, static_cast<size_t>(n * size));
    return {};
  }
  const int64_t rows = total / n;
  int64_t per_chunk = kRowsChunk / n + 1;
  if (per_chunk * kNormChunks < rows) per_chunk = (rows + kNormChunks - 1) / kNormChunks;
  const int64_t chunks = (rows + per_chunk - 1) / per_chunk;
  Scratch memory(call.workspace);
  char* parts = memory.get<char>(chunks * 2 * n * size);
  if (!parts) return out_of_memory();
  const int wide = x.dtype == DType::F64;
  const ScaledBackwardFn leaf = kernels().norm.scaled_backward[wide];
  const bool streaming = exceeds_cache(dx) && rows_are_lines(dx);
  parallel_for(chunks, [&](int64_t chunk) {
    const int64_t first = chunk * per_chunk, count = rows - first < per_chunk ? rows - first : per_chunk;
    const int64_t at = first * n * size;
    char* part = parts + chunk * 2 * n * size;
    leaf(dx.as<char>() + at, g.as<char>() + at, x.as<char>() + at, weight.data, part, part + n * size, call.attrs[0],
         call.attrs[1] != 0, streaming, count, n);
    if (streaming) end_streaming();
  });
  const auto combine = kernels().attention.of[wide].combine;
  combine(dw.data, parts, 2 * n, chunks, n, 1);
  combine(db.data, parts + n * size, 2 * n, chunks, n, 1);
  return {};
}

}  // namespace nabla
