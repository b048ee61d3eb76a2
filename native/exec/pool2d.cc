#include "exec/pool2d.h"

#include <atomic>

#include "exec/im2col.h"
#include "exec/tuning.h"
#include "runtime/pool.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";

// The places of the window's rows (or columns) that lie inside: [first, last).
void inside(const Window& w, int d, int64_t at, int64_t size, int64_t window, int64_t& first, int64_t& last) {
  first = at < 0 ? (-at + w.dilation[d] - 1) / w.dilation[d] : 0;
  last = at < size ? (size - at + w.dilation[d] - 1) / w.dilation[d] : 0;
  if (last > window) last = window;
}

// False where a window holds no element.
template <class T>
bool plane_indices(int32_t* out, const T* x, const Window& w) {
  for (int64_t y = 0; y < w.out_height; y++) {
    const int64_t at_y = y * w.stride[0] - w.padding[0];
    int64_t i0, i1;
    inside(w, 0, at_y, w.height, w.rows, i0, i1);
    for (int64_t z = 0; z < w.out_width; z++) {
      const int64_t at_x = z * w.stride[1] - w.padding[1];
      int64_t j0, j1, best = -1;
      inside(w, 1, at_x, w.width, w.cols, j0, j1);
      for (int64_t i = i0; i < i1; i++)
        for (int64_t j = j0; j < j1; j++) {
          const int64_t k = (at_y + i * w.dilation[0]) * w.width + at_x + j * w.dilation[1];
          if (best < 0 || x[k] > x[best] || (x[k] != x[k] && x[best] == x[best])) best = k;
        }
      if (best < 0) return false;
      *out++ = static_cast<int32_t>(best);
    }
  }
  return true;
}

template <class T>
Status indices(const View& out, const View& x, const Window& w) {
  const int64_t places = w.places(), plane = w.height * w.width, planes = places > 0 ? out.numel() / places : 0;
  const double work = static_cast<double>(places) * static_cast<double>(w.area());
  const int64_t together = static_cast<int64_t>(kElementwiseChunk / work) + 1;
  std::atomic<bool> empty{false};
  parallel_for((planes + together - 1) / together, [&](int64_t chunk) {
    const int64_t end = (chunk + 1) * together < planes ? (chunk + 1) * together : planes;
    for (int64_t p = chunk * together; p < end; p++)
      if (!plane_indices(out.as<int32_t>() + p * places, x.as<T>() + p * plane, w))
        empty.store(true, std::memory_order_relaxed);
  });
  return empty.load() ? fail(Code::SHAPE, "a window lies in the padding altogether") : Status{};
}

}  // namespace

Status run_max_pool2d_indices(const Call& call) {
  if (call.n_out != 1 || call.n_in != 1 || call.n_attr != 8) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &x = call.in(0);
  const double rows = call.attrs[6], cols = call.attrs[7];
  Window w;
  if (x.scalar || out.dtype != DType::I32 || out.rank != x.rank || !x.contiguous() || !out.contiguous() ||
      !(rows >= 1 && rows <= INT32_MAX && cols >= 1 && cols <= INT32_MAX) ||
      !read_window(x, static_cast<int64_t>(rows), static_cast<int64_t>(cols), out, call.attrs, w) ||
      w.height * w.width > INT32_MAX)
    return fail(Code::SHAPE, kOperands);
  for (int d = 0; d < x.rank - 2; d++)
    if (x.dims[d] != out.dims[d]) return fail(Code::SHAPE, kOperands);
  switch (x.dtype) {
    case DType::F32: return indices<float>(out, x, w);
    case DType::F64: return indices<double>(out, x, w);
    case DType::I32: return indices<int32_t>(out, x, w);
    case DType::I64: return indices<int64_t>(out, x, w);
    case DType::U8: return indices<uint8_t>(out, x, w);
    default: break;
  }
  return fail(Code::DTYPE, "the op is not defined for this dtype");
}

}  // namespace nabla
