#include "exec/norm/softmax.h"

#include "exec/common/rows.h"
#include "kernels/table.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";
constexpr const char* kNoDType = "the op is not defined for this dtype";

Status run_rows(const Call& call, const SoftmaxFn (&leaves)[2]) {
  if (call.n_out != 1 || call.n_in != 1) return fail(Code::NATIVE, kOperands);
  const View &y = call.out(), &x = call.in(0);
  if (!is_float(y.dtype)) return fail(Code::DTYPE, kNoDType);
  if (!rows_read_as(y, x)) return fail(Code::SHAPE, kOperands);
  SoftmaxFn leaf = leaves[y.dtype == DType::F64];
  const int64_t row_bytes = y.dims[y.rank - 1] * static_cast<int64_t>(size_of(y.dtype));
  const bool streaming = exceeds_cache(y) && row_bytes <= kRowWork;
  const Source source(x.data, x.dtype, y.dtype);
  over_row_blocks(y, streaming, [&](int64_t at, int64_t rows, int64_t n) {
    Scratch line(call.workspace), tile(call.workspace);
    void* work = streaming ? line.get<char>(row_bytes) : nullptr;
    for (int64_t r = at / row_bytes, end = r + rows; r < end; r++)
      if (const char* row = source.read(tile, r * n, n)) leaf(y.as<char>() + r * row_bytes, row, work, n);
  });
  return source.status();
}

Status run_backward(const Call& call, const SoftmaxBackwardFn (&leaves)[2]) {
  if (call.n_out != 1 || call.n_in != 2) return fail(Code::NATIVE, kOperands);
  const View &dx = call.out(), &g = call.in(0), &y = call.in(1);
  if (!is_float(dx.dtype)) return fail(Code::DTYPE, kNoDType);
  if (!rows_alike(dx, g) || !rows_alike(dx, y)) return fail(Code::SHAPE, kOperands);
  SoftmaxBackwardFn leaf = leaves[dx.dtype == DType::F64];
  const bool streaming = exceeds_cache(dx);
  over_rows(dx, streaming, [&](int64_t, int64_t at, int64_t n) {
    leaf(dx.as<char>() + at, g.as<char>() + at, y.as<char>() + at, streaming, n);
  });
  return {};
}

}  // namespace

Status run_softmax(const Call& call) { return run_rows(call, kernels().softmax.softmax); }
Status run_log_softmax(const Call& call) { return run_rows(call, kernels().softmax.log_softmax); }
Status run_softmax_backward(const Call& call) { return run_backward(call, kernels().softmax.softmax_backward); }
Status run_log_softmax_backward(const Call& call) { return run_backward(call, kernels().softmax.log_softmax_backward); }

}  // namespace nabla
