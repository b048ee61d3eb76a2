#include "exec/loss/mse.h"

#include <limits>

#include "exec/common/dense_like.h"
#include "exec/common/halves.h"
#include "exec/elementwise/elementwise.h"
#include "exec/reduce/reduce.h"
#include "runtime/workspace.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";

bool pair(const View& x, const View& y) { return x.dtype == y.dtype && same_shape(x, y) && !x.scalar && !y.scalar; }

}  // namespace

Status run_mse(const Call& call) {
  if (call.n_out != 1 || call.n_in != 2 || call.n_attr != 0) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &x = call.in(0), &y = call.in(1);
  if (!pair(x, y) || !is_float(out.dtype) || !reads_as(x.dtype, out.dtype) || out.numel() != 1 || !out.contiguous())
    return fail(Code::SHAPE, kOperands);
  const int64_t n = x.numel();
  if (n == 0) {
    if (out.dtype == DType::F32)
      *out.as<float>() = std::numeric_limits<float>::quiet_NaN();
    else
      *out.as<double>() = std::numeric_limits<double>::quiet_NaN();
    return {};
  }
  Scratch memory(call.workspace);
  const View differences = dense_like(x, out.dtype, memory);
  if (!differences.data) return out_of_memory();
  NABLA_TRY(subtract(differences, x, y));
  return mean_square(out, differences, call.workspace);
}

Status run_mse_backward(const Call& call) {
  if (call.n_out != 1 || call.n_in != 3 || call.n_attr != 0) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &g = call.in(0), &x = call.in(1), &y = call.in(2);
  if (!is_float(x.dtype) || !pair(x, y) || !same_shape(out, x) || out.dtype != x.dtype || g.dtype != x.dtype ||
      g.numel() != 1 || g.scalar)
    return fail(Code::SHAPE, kOperands);
  const double n = static_cast<double>(x.numel());
  double wide = 0;
  float narrow = 0;
  if (g.dtype == DType::F32)
    narrow = *g.as<float>() * static_cast<float>(2 / n);
  else
    wide = *g.as<double>() * (2 / n);
  NABLA_TRY(subtract(out, x, y));
  return multiply(out, out, number(out.dtype, g.dtype == DType::F32 ? static_cast<void*>(&narrow) : &wide));
}

}  // namespace nabla
