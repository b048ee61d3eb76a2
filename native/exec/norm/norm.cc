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

// The sums of `count` vectors, `stride` elements apart, rounded once.
Status write_sums(Workspace& workspace, const View& out, const char* parts, int64_t stride, int64_t count) {
  const int64_t n = out.numel();
  const Sink sink(out.data, out.dtype);
  Scratch tile(workspace);
  char* to = sink.open(tile, 0, n);
  if (!to) return sink.status();
  kernels().attention.of[out.dtype == DType::F64].combine(to, parts, stride, count, n, 1);
  sink.close(to, 0, n);
  return {};
}

}  // namespace

Status run_standardize(const Call& call) {
  if (call.n_out != 1 || call.n_in < 1 || call.n_in > 3 || call.n_attr != 2) return fail(Code::NATIVE, kOperands);
  const View &y = call.out(), &x = call.in(0);
  const DType type = computed(y.dtype);
  if (!is_float(type)) return fail(Code::DTYPE, kNoDType);
  if (!rows_read_as(y, x)) return fail(Code::SHAPE, kOperands);
  Scratch memory[] = {Scratch(call.workspace), Scratch(call.workspace)};
  const void* factors[2] = {};  // weight and bias
  for (int i = 1; i < call.n_in; i++) {
    if (!along_row(call.in(i), y)) return fail(Code::SHAPE, kOperands, i + 1);
    NABLA_TRY(widened(call.in(i), memory[i - 1], factors[i - 1]));
  }
  const StandardizeFn leaf = kernels().norm.standardize[type == DType::F64];
  const Source source(x.data, x.dtype, type);
  const Sink sink(y.data, y.dtype);
  const bool streaming = sink.direct() && exceeds_cache(y) && rows_are_lines(y);
  over_row_blocks(y, streaming, [&](int64_t at, int64_t rows, int64_t n) {
    const int64_t first = at / static_cast<int64_t>(size_of(y.dtype));
    Scratch read(call.workspace), written(call.workspace);
    const char* from = source.read(read, first, rows * n);
    char* to = sink.open(written, first, rows * n);
    if (!from || !to) return;
    leaf(to, from, factors[0], factors[1], call.attrs[0], call.attrs[1] != 0, streaming, rows, n);
    sink.close(to, first, rows * n);
  });
  NABLA_TRY(source.status());
  return sink.status();
}

Status run_standardize_backward(const Call& call) {
  if (call.n_out != 1 || call.n_in != 2 || call.n_attr != 2) return fail(Code::NATIVE, kOperands);
  const View &dx = call.out(), &g = call.in(0), &x = call.in(1);
  const DType type = computed(dx.dtype);
  if (!is_float(type)) return fail(Code::DTYPE, kNoDType);
  if (!rows_alike(dx, x) || !(rows_alike(dx, g) || (g.dtype == type && rows_read_as(g, dx))))
    return fail(Code::SHAPE, kOperands);
  const StandardizeBackwardFn leaf = kernels().norm.backward[type == DType::F64];
  const Source slopes(g.data, g.dtype, type), source(x.data, x.dtype, type);
  const Sink sink(dx.data, dx.dtype);
  const bool streaming = sink.direct() && exceeds_cache(dx) && rows_are_lines(dx);
  over_row_blocks(dx, streaming, [&](int64_t at, int64_t rows, int64_t n) {
    const int64_t first = at / static_cast<int64_t>(size_of(dx.dtype)), count = rows * n;
    Scratch of_g(call.workspace), of_x(call.workspace), written(call.workspace);
    const char *from_g = slopes.read(of_g, first, count), *from_x = source.read(of_x, first, count);
    char* to = sink.open(written, first, count);
    if (!from_g || !from_x || !to) return;
    leaf(to, from_g, from_x, call.attrs[0], call.attrs[1] != 0, streaming, rows, n);
    sink.close(to, first, count);
  });
  NABLA_TRY(slopes.status());
  NABLA_TRY(source.status());
  return sink.status();
}

Status run_scaled_norm_backward(const Call& call) {
  if (call.n_out != 3 || call.n_in != 3 || call.n_attr != 2) return fail(Code::NATIVE, kOperands);
  const View &dx = call.out(0), &dw = call.out(1), &db = call.out(2);
  const View &g = call.in(0), &x = call.in(1), &w = call.in(2);
  const DType type = computed(x.dtype);
  if (!is_float(type)) return fail(Code::DTYPE, kNoDType);
  if (!rows_alike(x, g) || x.scalar || !rows_alike(dx, x) || !along_row(w, x) || !along_row(dw, x) || !along_row(db, x))
    return fail(Code::SHAPE, kOperands);
  const int64_t n = x.dims[x.rank - 1], total = x.numel(), size = static_cast<int64_t>(size_of(type));
  if (total == 0) {
    std::memset(dw.data, 0, static_cast<size_t>(n) * size_of(dw.dtype));
    std::memset(db.data, 0, static_cast<size_t>(n) * size_of(db.dtype));
    return {};
  }
  const int64_t rows = total / n, few = kRowsChunk / n + 1;
  const int64_t per_chunk = few * kNormChunks < rows ? (rows + kNormChunks - 1) / kNormChunks : few;
  const int64_t chunks = (rows + per_chunk - 1) / per_chunk;
  Scratch memory(call.workspace), wide(call.workspace);
  char* parts = memory.get<char>(chunks * 2 * n * size);
  if (!parts) return out_of_memory();
  const void* weight = nullptr;
  NABLA_TRY(widened(w, wide, weight));
  const ScaledBackwardFn leaf = kernels().norm.scaled_backward[type == DType::F64];
  const Source slopes(g.data, g.dtype, type), source(x.data, x.dtype, type);
  const Sink sink(dx.data, dx.dtype);
  const bool streaming = sink.direct() && exceeds_cache(dx) && rows_are_lines(dx);
  // Tiles are as many rows as stay in the cache.
  const int64_t step = sink.direct() ? per_chunk : few;
  parallel_for(chunks, [&](int64_t chunk) {
    const int64_t begin = chunk * per_chunk, end = rows - begin < per_chunk ? rows : begin + per_chunk;
    char* part = parts + chunk * 2 * n * size;
    std::memset(part, 0, static_cast<size_t>(2 * n * size));
    Scratch of_g(call.workspace), of_x(call.workspace), written(call.workspace);
    for (int64_t row = begin; row < end; row += step) {
      const int64_t some = end - row < step ? end - row : step, first = row * n, count = some * n;
      const char *from_g = slopes.read(of_g, first, count), *from_x = source.read(of_x, first, count);
      char* to = sink.open(written, first, count);
      if (!from_g || !from_x || !to) return;
      leaf(to, from_g, from_x, weight, part, part + n * size, call.attrs[0], call.attrs[1] != 0, streaming, some, n);
      sink.close(to, first, count);
    }
    if (streaming) end_streaming();
  });
  NABLA_TRY(slopes.status());
  NABLA_TRY(source.status());
  NABLA_TRY(sink.status());
  NABLA_TRY(write_sums(call.workspace, dw, parts, 2 * n, chunks));
  return write_sums(call.workspace, db, parts + n * size, 2 * n, chunks);
}

}  // namespace nabla
