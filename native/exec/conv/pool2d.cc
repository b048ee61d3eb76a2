#include "exec/conv/pool2d.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "exec/common/range.h"
#include "exec/common/tuning.h"
#include "exec/conv/im2col.h"
#include "kernels/table.h"
#include "runtime/pool.h"
#include "runtime/workspace.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";

// The taps that read inside the image at `at` = place * stride - padding: [first, last).
void taps_inside(const WindowAxis& a, int64_t at, int64_t& first, int64_t& last) {
  first = at < 0 ? (-at + a.by - 1) / a.by : 0;
  last = at >= a.size ? 0 : at + (a.taps - 1) * a.by < a.size ? a.taps : (a.size - at + a.by - 1) / a.by;
}

// The positions whose taps all read inside the image: [first, last).
void places_inside(const WindowAxis& a, int64_t& first, int64_t& last) {
  const int64_t most = a.size - 1 - a.first - (a.taps - 1) * a.by;
  first = (-a.first + a.step - 1) / a.step;
  last = most < 0 ? 0 : most / a.step + 1;
  if (last > a.places) last = a.places;
  if (first > last) first = last;
}

// The indices of one plane at positions [z0, z1) of line y; -1 if the window is all padding.
template <class T>
void line_indices(int32_t* out, const T* x, const WindowAxis& v, const WindowAxis& h, int64_t y, int64_t z0,
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
    out[y * h.places + z] = static_cast<int32_t>(best);
  }
}

// Inner positions of float planes, by whole vectors; the im2col view is in scratch.
struct Inner {
  int64_t y0 = 0, y1 = 0, z0 = 0, z1 = 0;
  Im2col w;

  Inner(const WindowAxis& v, const WindowAxis& h) : w{v, h, 1, v.size * h.size} {
    places_inside(v, y0, y1);
    places_inside(h, z0, z1);
    if (z1 - z0 < kLeastWidth || w.area() > kGemmDepth) y1 = y0 = 0;
    w.y.places = y1 - y0;
    w.x.places = z1 - z0;
    w.y.first += y0 * v.step;
    w.x.first += z0 * h.step;
  }
  bool run(Workspace& workspace, int32_t* out, const float* x, int64_t line_places) const {
    if (w.y.places == 0) return true;  // perhaps for want of room for the offsets
    int32_t offsets[kGemmDepth];
    for (int64_t t = 0; t < w.area(); t++)
      offsets[t] = static_cast<int32_t>(t / w.x.taps * w.y.by * w.x.size + t % w.x.taps * w.x.by);
    for (int64_t y = 0; y < w.y.places; y += kLines) {
      const int64_t lines = w.y.places - y < kLines ? w.y.places - y : kLines;
      Im2colBlock<float> block(workspace, w, x, 1, y * w.x.places, lines * w.x.places);
      const Im2colView<float>* view = block.view(0, w.area());
      if (!view) return false;
      for (int64_t l = 0; l < lines; l++)
        kernels().im2col.largest(out + (y0 + y + l) * line_places + z0, view->source + view->runs[l].at, view->taps,
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
Status indices(Workspace& workspace, const View& out, const View& x, const Window& window) {
  const WindowAxis v = window_axis(window, 0), h = window_axis(window, 1);
  const int64_t places = window.places(), plane = window.height * window.width;
  const int64_t planes = places > 0 ? out.numel() / places : 0;
  const double work = static_cast<double>(places) * static_cast<double>(window.area());
  const int64_t together = static_cast<int64_t>(kElementwiseChunk / work) + 1;
  const Inner inner(v, h);
  std::atomic<bool> no_memory{false};
  parallel_for((planes + together - 1) / together, [&](int64_t chunk) {
    const int64_t end = (chunk + 1) * together < planes ? (chunk + 1) * together : planes;
    for (int64_t p = chunk * together; p < end; p++) {
      int32_t* to = out.as<int32_t>() + p * places;
      const T* from = x.as<T>() + p * plane;
      for (int64_t y = 0; y < v.places; y++) {
        const bool whole = std::is_same_v<T, float> && y >= inner.y0 && y < inner.y1;
        line_indices(to, from, v, h, y, 0, whole ? inner.z0 : h.places);
        if (whole) line_indices(to, from, v, h, y, inner.z1, h.places);
      }
      if constexpr (std::is_same_v<T, float>)
        if (!inner.run(workspace, to, from, h.places)) no_memory.store(true, std::memory_order_relaxed);
    }
  });
  return no_memory.load() ? out_of_memory() : Status{};
}

// Average pooling of one plane, and its transpose.
template <class T>
class Means {
 public:
  Means(const Window& w, double divisor)
      : v_(window_axis(w, 0)), h_(window_axis(w, 1)), divisor_(static_cast<T>(divisor)) {
    places_inside(h_, first_, last_);
  }

  // `line` has room for a line of the plane: columns are summed first.
  void forward(T* out, const T* x, T* line) const {
    for (int64_t y = 0; y < v_.places; y++, out += h_.places) {
      int64_t i0, i1;
      taps_inside(v_, v_.at(y, 0), i0, i1);
      sum_lines(line, x + v_.at(y, i0) * h_.size, h_.size, h_.size, i1 - i0);
      for (int64_t z = 0; z < h_.places; z++) out[z] = 0;
      each_column([&](int64_t z, int64_t at) { out[z] += line[at]; });
      for (int64_t z = 0; z < h_.places; z++) out[z] /= divisor_;
    }
  }

  // The transpose; `line` has room for a line of positions.
  void backward(T* dx, const T* g, T* line) const {
    int64_t before0 = -1, before1 = -1;
    for (int64_t r = 0; r < v_.size; r++, dx += h_.size) {
      const int64_t reach = r - v_.first - (v_.taps - 1), y_end = (r - v_.first) / v_.step + 1;
      const int64_t y0 = reach > 0 ? (reach + v_.step - 1) / v_.step : 0;
      const int64_t y1 = y_end < v_.places ? y_end : v_.places;
      if (y0 == before0 && y1 == before1) {
        std::memcpy(dx, dx - h_.size, static_cast<size_t>(h_.size) * sizeof(T));
        continue;
      }
      before0 = y0, before1 = y1;
      sum_lines(line, g + y0 * h_.places, h_.places, h_.places, y1 - y0);
      for (int64_t z = 0; z < h_.places; z++) line[z] /= divisor_;
      for (int64_t i = 0; i < h_.size; i++) dx[i] = 0;
      each_column([&](int64_t z, int64_t at) { dx[at] += line[z]; });
    }
  }

  int64_t room() const { return h_.size > h_.places ? h_.size : h_.places; }

 private:
  static void sum_lines(T* __restrict to, const T* __restrict from, int64_t n, int64_t step, int64_t lines) {
    if (lines <= 0) {
      for (int64_t i = 0; i < n; i++) to[i] = 0;
      return;
    }
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(T));
    for (int64_t l = 1; l < lines; l++)
      for (int64_t i = 0; i < n; i++) to[i] += from[l * step + i];
  }
  // f(position, column that it reads), for each position, from the first tap to the last.
  template <class F>
  void each_column(F&& f) const {
    for (int64_t z = 0; z < h_.places; z++) {
      if (z == first_ && last_ > first_) z = last_;
      if (z == h_.places) break;
      int64_t j0, j1;
      taps_inside(h_, h_.at(z, 0), j0, j1);
      for (int64_t j = j0; j < j1; j++) f(z, h_.at(z, j));
    }
    if (last_ <= first_) return;
    if (h_.step == 2) {
      for (int64_t j = 0; j < h_.taps; j++)
        for (int64_t z = first_; z < last_; z++) f(z, z * 2 + h_.first + j);
      return;
    }
    for (int64_t j = 0; j < h_.taps; j++)
      for (int64_t z = first_; z < last_; z++) f(z, h_.at(z, j));
  }

  WindowAxis v_, h_;
  T divisor_;
  int64_t first_, last_;  // places all of whose taps see something
};

template <class T>
Status means(Workspace& workspace, const View& out, const View& in, const Window& w, double divisor, bool backward) {
  const Means<T> each(w, divisor);
  const int64_t places = w.places(), plane = w.height * w.width, to = backward ? plane : places;
  const int64_t from = backward ? places : plane;
  const int64_t planes = to > 0 ? out.numel() / to : 0, together = kElementwiseChunk / (places + plane) + 1;
  std::atomic<bool> no_memory{false};
  parallel_for((planes + together - 1) / together, [&](int64_t chunk) {
    Scratch memory(workspace), scaled(workspace);
    T* line = memory.get<T>(each.room());
    if (!line) return no_memory.store(true, std::memory_order_relaxed);
    const int64_t end = (chunk + 1) * together < planes ? (chunk + 1) * together : planes;
    const auto compute = [&](T* results, const T* x) {
      backward ? each.backward(results, x, line) : each.forward(results, x, line);
    };
    Range range;
    {
      const Range::Watch watch(&range);
      for (int64_t p = chunk * together; p < end; p++) compute(out.as<T>() + p * to, in.as<T>() + p * from);
    }
    if (!range.left) return;
    // Where a sum has overflowed, the means are taken again, of elements in a larger unit.
    constexpr T kUnit = T(0x1p64);
    const auto lost = [](T mean) { return !std::isfinite(mean); };
    T* const x = scaled.get<T>(from + to);
    if (!x) return no_memory.store(true, std::memory_order_relaxed);
    for (int64_t p = chunk * together; p < end; p++) {
      T* const means = out.as<T>() + p * to;
      if (std::none_of(means, means + to, lost)) continue;
      for (int64_t i = 0; i < from; i++) x[i] = in.as<T>()[p * from + i] / kUnit;
      compute(x + from, x);
      for (int64_t i = 0; i < to; i++)
        if (lost(means[i])) means[i] = x[from + i] * kUnit;
    }
  });
  return no_memory.load() ? out_of_memory() : Status{};
}

// Reads and checks contiguous images, results, and at least eight numbers.
bool read_pool(const Call& call, const View& image, const View& result, Window& w) {
  const double rows = call.attrs[6], cols = call.attrs[7];
  if (image.scalar || result.scalar || result.rank != image.rank || !image.contiguous() || !result.contiguous() ||
      !(rows >= 1 && rows <= INT32_MAX && cols >= 1 && cols <= INT32_MAX) ||
      !read_window(image, static_cast<int64_t>(rows), static_cast<int64_t>(cols), result, call.attrs, w))
    return false;
  for (int d = 0; d < image.rank - 2; d++)
    if (image.dims[d] != result.dims[d]) return false;
  return true;
}

Status mean_pool(const Call& call, bool backward) {
  if (call.n_out != 1 || call.n_in != 1 || call.n_attr != 9) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &in = call.in(0);
  Window w;
  if (in.dtype != out.dtype || !read_pool(call, backward ? out : in, backward ? in : out, w) || w.dilation[0] != 1 ||
      w.dilation[1] != 1)
    return fail(Code::SHAPE, kOperands);
  switch (out.dtype) {
    case DType::F32: return means<float>(call.workspace, out, in, w, call.attrs[8], backward);
    case DType::F64: return means<double>(call.workspace, out, in, w, call.attrs[8], backward);
    default: break;
  }
  return fail(Code::DTYPE, "the op is not defined for this dtype");
}

}  // namespace

Status run_avg_pool2d(const Call& call) { return mean_pool(call, false); }
Status run_avg_pool2d_backward(const Call& call) { return mean_pool(call, true); }

Status run_max_pool2d_indices(const Call& call) {
  if (call.n_out != 1 || call.n_in != 1 || call.n_attr != 8) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &x = call.in(0);
  Window w;
  if (out.dtype != DType::I32 || !read_pool(call, x, out, w) || w.height * w.width > INT32_MAX)
    return fail(Code::SHAPE, kOperands);
  switch (x.dtype) {
    case DType::F32: return indices<float>(call.workspace, out, x, w);
    case DType::F64: return indices<double>(call.workspace, out, x, w);
    case DType::I32: return indices<int32_t>(call.workspace, out, x, w);
    case DType::I64: return indices<int64_t>(call.workspace, out, x, w);
    case DType::U8: return indices<uint8_t>(call.workspace, out, x, w);
    default: break;
  }
  return fail(Code::DTYPE, "the op is not defined for this dtype");
}

}  // namespace nabla
