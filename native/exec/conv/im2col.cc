#include "exec/conv/im2col.h"

#include "exec/matmul/gemm_plan.h"
#include "kernels/table.h"
#include "runtime/workspace.h"

namespace nabla {
namespace {

const Im2colKernels<float>& leaves(float) { return kernels().im2col.f32; }
const Im2colKernels<double>& leaves(double) { return kernels().im2col.f64; }

// The distance from the first to the last element that they read.
int64_t reach(const WindowAxis& a, int64_t places, int64_t taps) {
  return (a.by < 0 ? -a.by : a.by) * (taps - 1) + (places - 1) * a.step;
}

// How taps [from, to) at `places` positions are laid out in a copy: as in the image, or each tap separately, whichever
// is shorter. In the image's layout, a position is at step * place + by * tap, in pieces of every step-th element.
struct Layout {
  int64_t size;  // elements, or lines
  bool dense;
};
Layout layout(const WindowAxis& a, int64_t places, int64_t taps) {
  const int64_t dense = (reach(a, places, taps) / a.step + 1) * a.step, sparse = places * taps;
  return {smaller(dense, sparse), dense <= sparse};
}

}  // namespace

template <class T>
Im2colBlock<T>::Im2colBlock(Workspace& workspace, const Im2col& w, const T* source, int64_t images, int64_t first,
                            int64_t count)
    : memory_(workspace),
      w_(w),
      source_(source),
      images_(images),
      first_(first),
      count_(count),
      in_place_(w.x.step == 1 && w.y.inside() && w.x.inside()) {
  int64_t image = first / w.places(), y = first % w.places() / w.x.places, x = first % w.x.places;
  for (int64_t start = 0; start < count; x = 0) {
    const int64_t length = smaller(w.x.places - x, count - start);
    lines_[runs_] = {image, y, x};
    run_[runs_++] = {0, static_cast<int32_t>(start), static_cast<int32_t>(length)};
    start += length;
    if (++y == w.y.places) y = 0, image++;
  }
}

template <class T>
const Im2colView<T>* Im2colBlock<T>::view(int64_t row, int64_t rows) {
  if (in_place_)
    view_in_place(row, rows);
  else if (!view_copied(row, rows))
    return nullptr;
  view_.taps = taps_;
  view_.n_taps = rows;
  view_.runs = run_;
  view_.n_runs = runs_;
  return &view_;
}

template <class T>
void Im2colBlock<T>::view_in_place(int64_t row, int64_t rows) {
  const int64_t width = w_.x.size;
  view_.source = source_;
  int64_t c = row / w_.area(), i = row / w_.x.taps % w_.y.taps, j = row % w_.x.taps;
  for (int64_t r = 0; r < rows; r++) {
    taps_[r] = (c * w_.y.size + i * w_.y.by) * width + j * w_.x.by;
    if (++j == w_.x.taps) {
      j = 0;
      if (++i == w_.y.taps) i = 0, c++;
    }
  }
  for (int64_t r = 0; r < runs_; r++)
    run_[r].at = lines_[r].image * w_.image + w_.y.at(lines_[r].y, 0) * width + w_.x.at(lines_[r].x, 0);
  // Memory after the last line of the last image may not belong to it.
  view_.padded = (images_ - 1 - lines_[runs_ - 1].image) * w_.image >= kIm2colSpill;
}

template <class T>
bool Im2colBlock<T>::view_copied(int64_t row, int64_t rows) {
  const WindowAxis &v = w_.y, &h = w_.x;
  const int64_t last = row + rows - 1;
  const int64_t c0 = row / w_.area(), channels = last / w_.area() - c0 + 1;
  int64_t i0 = 0, i1 = v.taps, j0 = 0, j1 = h.taps;
  if (channels == 1) i0 = row / h.taps % v.taps, i1 = last / h.taps % v.taps + 1;
  if (channels == 1 && i1 == i0 + 1) j0 = row % h.taps, j1 = last % h.taps + 1;

  // Columns: strips of a line.
  const int64_t x0 = runs_ == 1 ? lines_[0].x : 0, across = runs_ == 1 ? run_[0].count : h.places;
  const Layout columns = layout(h, across, j1 - j0);
  const int64_t strips = columns.dense ? h.step : j1 - j0, strip = columns.size / strips;
  const int64_t left = h.at(x0, h.lowest_tap(j0, j1));

  // Lines, image by image; the first and last image of the block may be partial.
  const Line &top = lines_[0], &bottom = lines_[runs_ - 1];
  const int64_t images = bottom.image - top.image + 1;
  const auto first_line = [&](int64_t n) { return n == top.image ? top.y : 0; };
  const auto line_count = [&](int64_t n) { return (n == bottom.image ? bottom.y + 1 : v.places) - first_line(n); };
  int64_t tallest = 0;
  for (int64_t n = top.image; n <= bottom.image; n++)
    if (line_count(n) > tallest) tallest = line_count(n);
  const int64_t taps = i1 - i0;
  const Layout rows_of_image = layout(v, tallest, taps);
  const bool dense = rows_of_image.dense;
  const int64_t plane = images * rows_of_image.size * columns.size;
  T* copy = memory_.get<T>(channels * plane + kIm2colSpill);
  if (!copy) return false;

  const auto& leaf = leaves(T());
  for (int64_t c = 0; c < channels; c++) {
    for (int64_t n = 0; n < images; n++) {
      const T* image = source_ + (top.image + n) * w_.image + (c0 + c) * v.size * h.size;
      const int64_t y0 = first_line(top.image + n), height = line_count(top.image + n);
      const int64_t used = dense ? reach(v, height, taps) + 1 : height * taps;
      T* to = copy + c * plane + n * rows_of_image.size * columns.size;
      for (int64_t l = 0; l < used; l++, to += columns.size) {
        const int64_t at = dense ? v.at(y0, v.lowest_tap(i0, i1)) + l : v.at(y0 + l / taps, i0 + l % taps);
        const T* line = image + at * h.size;
        const int64_t size = at >= 0 && at < v.size ? h.size : 0;
        for (int64_t s = 0; s < strips; s++)
          leaf.copy(to + s * strip, size ? line : image, size, columns.dense ? left + s : h.at(x0, j0 + s), h.step,
                    strip);
      }
    }
  }

  const int64_t line_step = dense ? v.step : taps, line_tap = dense ? v.by : 1;
  const int64_t line_first = dense && v.by < 0 ? -v.by * (taps - 1) : 0;
  int64_t c = 0, i = row / h.taps % v.taps, j = row % h.taps;
  for (int64_t r = 0; r < rows; r++) {
    const int64_t from = h.at(x0, j) - left;
    const int64_t column = columns.dense ? from % h.step * strip + from / h.step : (j - j0) * strip;
    taps_[r] = c * plane + (i - i0) * line_tap * columns.size + column;
    if (++j == h.taps) {
      j = 0;
      if (++i == v.taps) i = 0, c++;
    }
  }
  for (int64_t r = 0; r < runs_; r++) {
    const Line& l = lines_[r];
    const int64_t line =
        (l.image - top.image) * rows_of_image.size + (l.y - first_line(l.image)) * line_step + line_first;
    run_[r].at = line * columns.size + l.x - x0;
  }
  view_.source = copy;
  view_.padded = true;
  return true;
}

template class Im2colBlock<float>;
template class Im2colBlock<double>;

}  // namespace nabla
