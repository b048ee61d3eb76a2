#include "exec/norm.h"

#include "exec/rows.h"
#include "kernels/table.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";
constexpr const char* kNoDType = "the op is not defined for this dtype";

bool along_row(const View& v, const View& x) {
  return !v.scalar && v.rank == 1 && v.dims[0] == x.dims[x.rank - 1] && v.dtype == x.dtype && v.contiguous();
}

}  // namespace

Status run_standardize(const Call& call) {
  if (call.n_out != 1 || call.n_in < 1 || call.n_in > 3 || call.n_attr != 2) return fail(Code::NATIVE, kOperands);
  const View &y = call.out(), &x = call.in(0);
  if (!is_float(y.dtype)) return fail(Code::DTYPE, kNoDType);
  if (!rows_alike(y, x)) return fail(Code::SHAPE, kOperands);
  for (int i = 1; i < call.n_in; i++)
    if (!along_row(call.in(i), x)) return fail(Code::SHAPE, kOperands, i + 1);
  const void* weight = call.n_in > 1 ? call.in(1).data : nullptr;
  const void* bias = call.n_in > 2 ? call.in(2).data : nullptr;
  StandardizeFn leaf = kernels().norm.standardize[y.dtype == DType::F64];
  over_rows(y, [&](int64_t, int64_t at, int64_t n) {
    leaf(y.as<char>() + at, x.as<char>() + at, weight, bias, call.attrs[0], call.attrs[1] != 0, n);
  });
  return {};
}

Status run_standardize_backward(const Call& call) {
  if (call.n_out != 1 || call.n_in != 2 || call.n_attr != 2) return fail(Code::NATIVE, kOperands);
  const View &dx = call.out(), &g = call.in(0), &x = call.in(1);
  if (!is_float(dx.dtype)) return fail(Code::DTYPE, kNoDType);
  if (!rows_alike(dx, g) || !rows_alike(dx, x)) return fail(Code::SHAPE, kOperands);
  StandardizeBackwardFn leaf = kernels().norm.backward[dx.dtype == DType::F64];
  over_rows(dx, [&](int64_t, int64_t at, int64_t n) {
    leaf(dx.as<char>() + at, g.as<char>() + at, x.as<char>() + at, call.attrs[0], call.attrs[1] != 0, n);
  });
  return {};
}

}  // namespace nabla
