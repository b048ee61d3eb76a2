// Convolutions as matrix products with the im2col matrix. Blocks and tasks are cut by shape, and sums run in the order
// of a matrix product (kernels/gemm.h).
#include "exec/conv/conv.h"

#include <cstring>

#include "exec/conv/product.h"

namespace nabla {
namespace conv {
namespace {

constexpr const char* kOperands = "the operands do not fit a convolution";

bool plain(const View& v, DType type) { return !v.scalar && v.rank == 4 && v.dtype == type && v.contiguous(); }

Status read(const Call& call, const View& x, const View& weight, const View& y, Convolution& c) {
  if (call.n_attr != 7) return fail(Code::NATIVE, kOperands);
  if (!is_float(call.out().dtype)) return fail(Code::DTYPE, "the op is not defined for this dtype");
  const DType type = call.out().dtype;
  const double groups = call.attrs[6];
  if (!plain(x, type) || !plain(weight, type) || !plain(y, type) || !(groups >= 1 && groups <= INT32_MAX) ||
      !read_window(x, weight.dims[2], weight.dims[3], y, call.attrs, c.window))
    return fail(Code::SHAPE, kOperands);
  c.groups = static_cast<int64_t>(groups);
  c.channels = weight.dims[1];
  c.out = weight.dims[0] / c.groups;
  if (static_cast<double>(c.groups) != groups || weight.dims[0] != c.out * c.groups || y.dims[1] != weight.dims[0] ||
      x.dims[1] % c.groups != 0 || x.dims[1] / c.groups != c.channels || y.dims[0] != x.dims[0])
    return fail(Code::SHAPE, kOperands);
  c.images = x.dims[0];
  c.workspace = &call.workspace;
  return {};
}

template <class T>
Status forward(const Convolution& c, T* y, const T* x, const T* weight) {
  const int64_t channels = c.groups * c.channels, places = c.window.places();
  return multiply<T>({c.workspace,
                      {window_axis(c.window, 0), window_axis(c.window, 1), c.channels, channels * c.plane()},
                      c.images,
                      c.groups,
                      c.out,
                      weight,
                      c.depth(),
                      1,
                      x,
                      {y, c.groups * c.out * places, places, c.window.out_width, 1}});
}

// f(out, a, b) with pointers to the elements; an empty sum is 0.
template <class F>
Status by_type(const Call& call, F&& f) {
  const View &out = call.out(), &a = call.in(0), &b = call.in(1);
  if (a.numel() == 0 || b.numel() == 0) {
    if (out.numel() > 0) std::memset(out.data, 0, static_cast<size_t>(out.numel()) * size_of(out.dtype));
    return {};
  }
  return out.dtype == DType::F32 ? f(out.as<float>(), a.as<float>(), b.as<float>())
                                 : f(out.as<double>(), a.as<double>(), b.as<double>());
}

}  // namespace
}  // namespace conv

Status run_conv2d(const Call& call) {
  conv::Convolution c;
  if (call.n_out != 1 || call.n_in != 2) return fail(Code::NATIVE, conv::kOperands);
  NABLA_TRY(conv::read(call, call.in(0), call.in(1), call.out(), c));
  return conv::by_type(call,
                       [&](auto* y, const auto* x, const auto* weight) { return conv::forward(c, y, x, weight); });
}

Status run_conv2d_input(const Call& call) {
  conv::Convolution c;
  if (call.n_out != 1 || call.n_in != 2) return fail(Code::NATIVE, conv::kOperands);
  NABLA_TRY(conv::read(call, call.out(), call.in(1), call.in(0), c));
  return conv::by_type(call,
                       [&](auto* x, const auto* y, const auto* weight) { return conv::by_input(c, x, y, weight); });
}

Status run_conv2d_weight(const Call& call) {
  conv::Convolution c;
  if (call.n_out != 1 || call.n_in != 2) return fail(Code::NATIVE, conv::kOperands);
  NABLA_TRY(conv::read(call, call.in(1), call.out(), call.in(0), c));
  return conv::by_type(call,
                       [&](auto* weight, const auto* y, const auto* x) { return conv::by_weight(c, weight, y, x); });
}

}  // namespace nabla
