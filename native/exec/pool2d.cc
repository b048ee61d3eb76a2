#include "exec/pool2d.h"

#include <atomic>
#include <type_traits>

#include "exec/tuning.h"
#include "exec/windows.h"
#include "kernels/table.h"
#include "runtime/pool.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";

// The taps that see something inside at `at` = place * stride - padding: [first, last).
void taps_inside(const WindowAxis& a, int64_t at, int64_t& first, int64_t& last) {
  first = at < 0 ? (-at + a.by - 1) / a.by : 0;
  last = at >= a.size ? 0 : at + (a.taps - 1) * a.by < a.size ? a.taps : (a.size - at + a.by - 1) / a.by;
}

// The places all of whose taps see something inside: [first, last).
void places_inside(const WindowAxis& a, int64_t& first, int64_t& last) {
  const int64_t most = a.size - 1 - a.first - (a.taps - 1) * a.by;
  first = (-a.first + a.step - 1) / a.step;
  last = most < 0 ? 0 : most / a.step + 1;
  if (last > a.places) last = a.places;
  if (first > last) first = last;
}

// What one plane has at places [z0, z1) of line y. False where a window holds no element.
template <class T>
bool line_indices(int32_t* out, const T* x, const WindowAxis& v, const WindowAxis& h, int64_t y, int64_t z0,
                  int64_t z1) {
  int64_t i0, i1, j0, j1;
  taps_inside(v, v.at(y, 0), i0, i1);
  for (int64_t z = z0; z < z1; z++) {
    taps_inside(h, h.at(z, 0), j0, j1);
    int64_t best = -1;
    for (int64_t i = i0; i < i1; i++)
      for (int64_t j = j0; j < j1; j++) {
        const int64_t k = v.at(y, i) * h.size + h.at(z, j);
        if (best < 0 || x[k] > x[best] || (x[k] != x[k] && x[best] == x[best])) best = k;
      }
    if (best < 0) return false;
    out[y * h.places + z] = static_cast<int32_t>(best);
  }
  return true;
}

// The places inside of planes of float, by whole vectors; the view of the windows lies in scratch.
struct Inner {
  int64_t y0 = 0, y1 = 0, z0 = 0, z1 = 0;
  Windows w;

  Inner(const WindowAxis& v, const WindowAxis& h) : w{v, h, 1, v.size * h.size} {
    places_inside(v, y0, y1);
    places_inside(h, z0, z1);
    if (z1 - z0 < kLeastWidth || w.area() > kGemmDepth) y1 = y0 = 0;
    w.y.places = y1 - y0;
    w.x.places = z1 - z0;
    w.y.first += y0 * v.step;
    w.x.first += z0 * h.step;
  }
  bool run(int32_t* out, const float* x, int64_t line_places) const {
    if (w.y.places == 0) return true;  // perhaps for want of room for the offsets
    int32_t offsets[kGemmDepth];
    for (int64_t t = 0; t < w.area(); t++)
      offsets[t] = static_cast<int32_t>(t / w.x.taps * w.y.by * w.x.size + t % w.x.taps * w.x.by);
    for (int64_t y = 0; y < w.y.places; y += kLines) {
      const int64_t lines = w.y.places - y < kLines ? w.y.places - y : kLines;
      WindowBlock<float> block(w, x, 1, y * w.x.places, lines * w.x.places);
      const WindowView<float>* view = block.view(0, w.area());
      if (!view) return false;
      for (int64_t l = 0; l < lines; l++)
        kernels().windows.largest(out + (y0 + y + l) * line_places + z0, view->source + view->runs[l].at, view->taps,
                                  offsets, view->n_taps,
                                  static_cast<int32_t>(w.y.at(y + l, 0) * w.x.size + w.x.at(0, 0)),
                                  static_cast<int32_t>(w.x.step), w.x.places);
    }
    return true;
  }

 private:
  static constexpr int64_t kLeastWidth = 4;
  static constexpr int64_t kLines = 64;  // at a time
};

template <class T>
Status indices(const View& out, const View& x, const Window& window) {
  const WindowAxis v = window_axis(window, 0), h = window_axis(window, 1);
  const int64_t places = window.places(), plane = window.height * window.width;
  const int64_t planes = places > 0 ? out.numel() / places : 0;
  const double work = static_cast<double>(places) * static_cast<double>(window.area());
  const int64_t together = static_cast<int64_t>(kElementwiseChunk / work) + 1;
  const Inner inner(v, h);
  std::atomic<bool> empty{false}, no_memory{false};
  parallel_for((planes + together - 1) / together, [&](int64_t chunk) {
    const int64_t end = (chunk + 1) * together < planes ? (chunk + 1) * together : planes;
    for (int64_t p = chunk * together; p < end; p++) {
      int32_t* to = out.as<int32_t>() + p * places;
      const T* from = x.as<T>() + p * plane;
      bool found = true;
      for (int64_t y = 0; y < v.places; y++) {
        const bool whole = std::is_same_v<T, float> && y >= inner.y0 && y < inner.y1;
        found = found && line_indices(to, from, v, h, y, 0, whole ? inner.z0 : h.places);
        if (whole) found = found && line_indices(to, from, v, h, y, inner.z1, h.places);
      }
      if (!found) empty.store(true, std::memory_order_relaxed);
      if constexpr (std::is_same_v<T, float>)
        if (!inner.run(to, from, h.places)) no_memory.store(true, std::memory_order_relaxed);
    }
  });
  if (no_memory.load()) return fail(Code::MEMORY, "out of memory");
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
