#include "exec/conv/window.h"

namespace nabla {
namespace {

constexpr int64_t kMaxSize = INT32_MAX;  // of a size, stride, padding or dilation: no product of two overflows

bool whole(double value, int64_t least, int64_t& out) {
  if (!(value >= static_cast<double>(least) && value <= static_cast<double>(kMaxSize))) return false;
  out = static_cast<int64_t>(value);
  return static_cast<double>(out) == value;
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

WindowAxis window_axis(const Window& w, int d) {
  return {d == 0 ? w.height : w.width,
          d == 0 ? w.out_height : w.out_width,
          d == 0 ? w.rows : w.cols,
          w.stride[d],
          -w.padding[d],
          w.dilation[d]};
}

bool WindowAxis::inside() const {
  const int64_t low = lowest_tap(0, taps), high = taps - 1 - low;
  return taps > 0 && places > 0 && at(0, low) >= 0 && at(places - 1, high) < size;
}

}  // namespace nabla
