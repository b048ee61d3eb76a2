#include "exec/norm/softmax.h"

#include <atomic>

#include "exec/common/rows.h"
#include "kernels/table.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";
constexpr const char* kNoDType = "the op is not defined for this dtype";

Status run_rows(const Call& call, const SoftmaxFn (&leaves)[2]) {
  if (call.n_out != 1 || call.n_in != 1) return fail(Code::NATIVE, kOperands);
  const View &y = call.out(), &x = call.in(0);
  const DType type = computed(y.dtype);
  if (!is_float(type)) return fail(Code::DTYPE, kNoDType);
  if (!rows_read_as(y, x)) return fail(Code::SHAPE, kOperands);
  const SoftmaxFn leaf = leaves[type == DType::F64];
  const int64_t size = static_cast<int64_t>(size_of(type)), row_bytes = y.dims[y.rank - 1] * size;
  const Source source(x.data, x.dtype, type);
  const Sink sink(y.data, y.dtype);
  const bool streaming = sink.direct() && exceeds_cache(y) && row_bytes <= kRowWork;
  over_row_blocks(y, streaming, [&](int64_t at, int64_t rows, int64_t n) {
    const int64_t first = at / static_cast<int64_t>(size_of(y.dtype)), count = rows * n;
    Scratch line(call.workspace), read(call.workspace), written(call.workspace);
    void* work = streaming ? line.get<char>(row_bytes) : nullptr;
    const char* from = source.read(read, first, count);
    char* to = sink.open(written, first, count);
    if (!from || !to) return;
    for (int64_t r = 0; r < rows; r++) leaf(to + r * row_bytes, from + r * row_bytes, work, n);
    sink.close(to, first, count);
  });
  NABLA_TRY(source.status());
  return sink.status();
}

// `results` makes y where x is given in its place.
Status run_backward(const Call& call, const SoftmaxBackwardFn (&leaves)[2], const SoftmaxFn (&results)[2]) {
  if (call.n_out != 1 || call.n_in != 2 || call.n_attr > 1) return fail(Code::NATIVE, kOperands);
  const View &dx = call.out(), &g = call.in(0), &y = call.in(1);
  const DType type = computed(dx.dtype);
  if (!is_float(type)) return fail(Code::DTYPE, kNoDType);
  if (!rows_alike(dx, y) || !(rows_alike(dx, g) || (g.dtype == type && rows_read_as(g, dx))))
    return fail(Code::SHAPE, kOperands);
  const bool again = call.n_attr > 0 && call.attrs[0] != 0;
  const SoftmaxBackwardFn leaf = leaves[type == DType::F64];
  const SoftmaxFn result = results[type == DType::F64];
  const int64_t row_bytes = dx.dims[dx.rank - 1] * static_cast<int64_t>(size_of(type));
  const Source slopes(g.data, g.dtype, type), source(y.data, y.dtype, type);
  const Sink sink(dx.data, dx.dtype);
  const bool streaming = sink.direct() && exceeds_cache(dx);
  std::atomic<bool> starved{false};
  over_row_blocks(dx, streaming, [&](int64_t at, int64_t rows, int64_t n) {
    const int64_t first = at / static_cast<int64_t>(size_of(dx.dtype)), count = rows * n;
    Scratch of_g(call.workspace), of_y(call.workspace), of_row(call.workspace), written(call.workspace);
    const char *from_g = slopes.read(of_g, first, count), *from = source.read(of_y, first, count);
    char *to = sink.open(written, first, count), *row = again ? of_row.get<char>(row_bytes) : nullptr;
    if (again && !row) return starved.store(true, std::memory_order_relaxed);
    if (!from_g || !from || !to) return;
    for (int64_t r = 0; r < rows; r++) {
      const char* of = from + r * row_bytes;
      if (again) result(row, of, nullptr, n);
      leaf(to + r * row_bytes, from_g + r * row_bytes, again ? row : of, streaming, n);
    }
    sink.close(to, first, count);
  });
  NABLA_TRY(slopes.status());
  NABLA_TRY(source.status());
  NABLA_TRY(sink.status());
  return starved ? out_of_memory() : Status{};
}

}  // namespace

Status run_softmax(const Call& call) { return run_rows(call, kernels().softmax.softmax); }
Status run_log_softmax(const Call& call) { return run_rows(call, kernels().softmax.log_softmax); }
Status run_softmax_backward(const Call& call) {
  return run_backward(call, kernels().softmax.softmax_backward, kernels().softmax.softmax);
}
Status run_log_softmax_backward(const Call& call) {
  return run_backward(call, kernels().softmax.log_softmax_backward, kernels().softmax.log_softmax);
}

}  // namespace nabla
