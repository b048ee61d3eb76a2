#include "exec/softmax.h"

#include "exec/rows.h"
#include "kernels/table.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";
constexpr const char* kNoDType = "the op is not defined for this dtype";
constexpr int64_t kWork = int64_t{256} << 10;  // bytes of a row that stay in cache from one pass over it to the next

Status run_rows(const Call& call, const SoftmaxFn (&leaves)[2]) {
  if (call.n_out != 1 || call.n_in != 1) return fail(Code::NATIVE, kOperands);
  const View &y = call.out(), &x = call.in(0);
  if (!is_float(y.dtype)) return fail(Code::DTYPE, kNoDType);
  if (!rows_alike(y, x)) return fail(Code::SHAPE, kOperands);
  SoftmaxFn leaf = leaves[y.dtype == DType::F64];
  const int64_t row_bytes = y.dims[y.rank - 1] * static_cast<int64_t>(size_of(y.dtype));
  const bool past_cache = leaves_cache(y) && row_bytes <= kWork;
  write_rows(y, past_cache, [&](int64_t, int64_t at, int64_t n) {
    void* work = past_cache ? scratch(Scratch::ROW, static_cast<size_t>(row_bytes)) : nullptr;
    leaf(y.as<char>() + at, x.as<char>() + at, work, n);
  });
  return {};
}

Status run_backward(const Call& call, const SoftmaxBackwardFn (&leaves)[2]) {
  if (call.n_out != 1 || call.n_in != 2) return fail(Code::NATIVE, kOperands);
  const View &dx = call.out(), &g = call.in(0), &y = call.in(1);
  if (!is_float(dx.dtype)) return fail(Code::DTYPE, kNoDType);
  if (!rows_alike(dx, g) || !rows_alike(dx, y)) return fail(Code::SHAPE, kOperands);
  SoftmaxBackwardFn leaf = leaves[dx.dtype == DType::F64];
  const bool past_cache = leaves_cache(dx);
  write_rows(dx, past_cache, [&](int64_t, int64_t at, int64_t n) {
    leaf(dx.as<char>() + at, g.as<char>() + at, y.as<char>() + at, past_cache, n);
  });
  return {};
}

// Reads each target once: what is checked is what is used.
int64_t target_at(const View& target, int64_t row) {
  switch (target.dtype) {
    case DType::I32: return target.as<int32_t>()[row];
    case DType::I64: return target.as<int64_t>()[row];
    default: return target.as<uint8_t>()[row];
  }
}

// -1 for a row that does not count.
int64_t counted_target(const View& target, int64_t row, double ignored) {
  const int64_t c = target_at(target, row);
  return static_cast<double>(c) == ignored ? -1 : c;
}

Status check_targets(const View& logits, const View& target, double ignored, int32_t operand) {
  if (!is_float(logits.dtype) || is_float(target.dtype) || target.dtype == DType::BOOL)
    return fail(Code::DTYPE, kNoDType);
  if (logits.rank != 2 || target.rank != 1 || target.dims[0] != logits.dims[0] || !logits.contiguous() ||
      !target.contiguous() || logits.scalar || target.scalar)
    return fail(Code::SHAPE, kOperands);
  for (int64_t r = 0; r < logits.dims[0]; r++) {
    int64_t c = target_at(target, r);
    if ((c < 0 || c >= logits.dims[1]) && static_cast<double>(c) != ignored)
      return fail(Code::INDEX, "a target is not one of the classes", operand, c);
  }
  return {};
}

bool of_rows(const View& v, const View& x, const View& target) {
  return v.dtype == x.dtype && !v.scalar && same_shape(v, target) && v.contiguous();
}

// The log-sum-exp goes to `kept` too, unless that is missing.
template <class T>
void cross_entropy_row(T* loss, T* kept, const T* x, int64_t target, int64_t n, LogSumExpFn lse) {
  T sum;
  lse(&sum, x, n);
  *loss = target >= 0 && target < n ? sum - x[target] : T(0);
  if (kept) *kept = sum;
}

}  // namespace

Status run_softmax(const Call& call) { return run_rows(call, kernels().softmax.softmax); }
Status run_log_softmax(const Call& call) { return run_rows(call, kernels().softmax.log_softmax); }
Status run_softmax_backward(const Call& call) { return run_backward(call, kernels().softmax.softmax_backward); }
Status run_log_softmax_backward(const Call& call) { return run_backward(call, kernels().softmax.log_softmax_backward); }

Status run_cross_entropy(const Call& call) {
  if (call.n_out < 1 || call.n_out > 2 || call.n_in != 2 || call.n_attr != 1) return fail(Code::NATIVE, kOperands);
  const View &loss = call.out(), &x = call.in(0), &target = call.in(1);
  NABLA_TRY(check_targets(x, target, call.attrs[0], 2));
  if (!of_rows(loss, x, target) || (call.n_out == 2 && !of_rows(call.out(1), x, target)))
    return fail(Code::SHAPE, kOperands);
  void* kept = call.n_out == 2 ? call.out(1).data : nullptr;
  const SoftmaxTable& table = kernels().softmax;
  over_rows(x, [&](int64_t r, int64_t at, int64_t n) {
    int64_t c = counted_target(target, r, call.attrs[0]);
    if (x.dtype == DType::F32)
      cross_entropy_row(loss.as<float>() + r, kept ? static_cast<float*>(kept) + r : nullptr,
                        reinterpret_cast<const float*>(x.as<char>() + at), c, n, table.logsumexp[0]);
    else
      cross_entropy_row(loss.as<double>() + r, kept ? static_cast<double*>(kept) + r : nullptr,
                        reinterpret_cast<const double*>(x.as<char>() + at), c, n, table.logsumexp[1]);
  });
  return {};
}

Status run_cross_entropy_backward(const Call& call) {
  if (call.n_out != 1 || call.n_in < 3 || call.n_in > 4 || call.n_attr != 1) return fail(Code::NATIVE, kOperands);
  const View &dx = call.out(), &g = call.in(0), &x = call.in(1), &target = call.in(2);
  NABLA_TRY(check_targets(x, target, call.attrs[0], 3));
  const bool given = call.n_in == 4;
  if (!rows_alike(dx, x) || g.dtype != x.dtype || g.scalar || !same_shape(g, target) ||
      (given && !of_rows(call.in(3), x, target)))
    return fail(Code::SHAPE, kOperands);
  const SoftmaxTable& table = kernels().softmax;
  const int wide = x.dtype == DType::F64;
  const bool past_cache = leaves_cache(dx);
  write_rows(dx, past_cache, [&](int64_t r, int64_t at, int64_t n) {
    int64_t c = counted_target(target, r, call.attrs[0]);
    const bool ignored = c < 0 || c >= n;
    double lse_bits, scale = 0;
    if (!ignored) scale = wide ? g.as<double>()[r * g.strides[0]] : g.as<float>()[r * g.strides[0]];
    const void* lse = &lse_bits;
    if (given)
      lse = call.in(3).as<char>() + r * static_cast<int64_t>(size_of(x.dtype));
    else
      table.logsumexp[wide](&lse_bits, x.as<char>() + at, n);
    table.cross_entropy_backward[wide](dx.as<char>() + at, x.as<char>() + at, lse, ignored ? 0 : c, scale, past_cache,
                                       n);
  });
  return {};
}

}  // namespace nabla
