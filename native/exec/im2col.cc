#include "exec/im2col.h"

#include <cstring>

namespace nabla {
namespace {

constexpr int64_t kMaxSize = INT32_MAX;  // of a size, stride, padding or dilation: no product of two overflows

bool whole(double value, int64_t least, int64_t& out) {
  if (!(value >= static_cast<double>(least) && value <= static_cast<double>(kMaxSize))) return false;
  out = static_cast<int64_t>(value);
  return static_cast<double>(out) == value;
}

// f(row, place from the first, length, first and last place inside the image, element of the image at the first place
// of the run) for every run of places on one line.
template <class F>
void each_run(const Window& w, int64_t row, int64_t rows, int64_t place, int64_t places, F&& f) {
  const int64_t step = w.stride[1], first_y = place / w.out_width, first_x = place % w.out_width;
  for (int64_t r = 0; r < rows; r++) {
    const int64_t channel = (row + r) / w.area(), i = (row + r) / w.cols % w.rows, j = (row + r) % w.cols;
    // Places [low, high) of every line see an element inside.
    const int64_t shift = j * w.dilation[1] - w.padding[1];
    const int64_t low = shift < 0 ? (-shift + step - 1) / step : 0;
    const int64_t high = shift < w.width ? (w.width - shift + step - 1) / step : 0;
    int64_t y = first_y, x = first_x;
    for (int64_t p = 0; p < places; y++, x = 0) {
      const int64_t length = w.out_width - x < places - p ? w.out_width - x : places - p;
      const int64_t at_y = y * w.stride[0] - w.padding[0] + i * w.dilation[0];
      int64_t first = low > x ? low - x : 0, last = high - x < length ? high - x : length;
      if (at_y < 0 || at_y >= w.height) last = 0;
      if (last < 0) last = 0;
      if (first > last) first = last;
      f(r, p, length, first, last, (channel * w.height + at_y) * w.width + x * step + shift);
      p += length;
    }
  }
}

}  // namespace

bool read_window(const View& image, int64_t rows, int64_t cols, const View& result, const double* numbers, Window& w) {
  const auto last_two = [](const View& v, int64_t& height, int64_t& width) {
    height = v.dims[v.rank - 2];
    width = v.dims[v.rank - 1];
    return height <= kMaxSize && width <= kMaxSize;
  };
  if (image.rank < 2 || result.rank < 2 || !last_two(image, w.height, w.width) ||
      !last_two(result, w.out_height, w.out_width) || rows < 1 || cols < 1 || rows > kMaxSize || cols > kMaxSize)
    return false;
  w.rows = rows;
  w.cols = cols;
  for (int d = 0; d < 2; d++) {
    if (!whole(numbers[d], 1, w.stride[d]) || !whole(numbers[2 + d], 0, w.padding[d]) ||
        !whole(numbers[4 + d], 1, w.dilation[d]))
      return false;
    const int64_t size = d == 0 ? w.height : w.width, window = d == 0 ? rows : cols;
    const int64_t room = size + 2 * w.padding[d] - w.dilation[d] * (window - 1) - 1;
    if (room < 0 || room / w.stride[d] + 1 != (d == 0 ? w.out_height : w.out_width)) return false;
  }
  return true;
}

template <class T>
void gather_columns(T* columns, int64_t step, const T* image, const Window& w, int64_t row, int64_t rows, int64_t place,
                    int64_t places) {
  each_run(w, row, rows, place, places,
           [&](int64_t r, int64_t p, int64_t length, int64_t first, int64_t last, int64_t at) {
             T* to = columns + r * step + p;
             for (int64_t k = 0; k < first; k++) to[k] = 0;
             if (w.stride[1] == 1) {
               if (last > first)
                 std::memcpy(to + first, image + at + first, static_cast<size_t>(last - first) * sizeof(T));
             } else {
               for (int64_t k = first; k < last; k++) to[k] = image[at + k * w.stride[1]];
             }
             for (int64_t k = last; k < length; k++) to[k] = 0;
           });
}

template <class T>
void scatter_columns(T* image, const T* columns, int64_t step, const Window& w, int64_t row, int64_t rows,
                     int64_t place, int64_t places) {
  each_run(w, row, rows, place, places, [&](int64_t r, int64_t p, int64_t, int64_t first, int64_t last, int64_t at) {
    const T* from = columns + r * step + p;
    for (int64_t k = first; k < last; k++) image[at + k * w.stride[1]] += from[k];
  });
}

#define INSTANTIATE(T)                                                                                       \
  template void gather_columns<T>(T*, int64_t, const T*, const Window&, int64_t, int64_t, int64_t, int64_t); \
  template void scatter_columns<T>(T*, const T*, int64_t, const Window&, int64_t, int64_t, int64_t, int64_t);
INSTANTIATE(float)
INSTANTIATE(double)
#undef INSTANTIATE

}  // namespace nabla
