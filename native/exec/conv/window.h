// A window that slides over an image: sizes, and what it reads at each place.
#pragma once
#include <cstdint>

#include "base/layout.h"

namespace nabla {

struct Window {
  int64_t height, width;  // of an image
  int64_t rows, cols;  // of the window
  int64_t out_height, out_width;  // places of the window
  int64_t stride[2], padding[2], dilation[2];

  int64_t area() const { return rows * cols; }
  int64_t places() const { return out_height * out_width; }
};

// Reads the last two dimensions of image, window and result, and six numbers: strides, paddings, dilations. False if
// they are inconsistent.
bool read_window(const View& image, int64_t rows, int64_t cols, const View& result, const double* numbers, Window& w);

// One dimension: place p sees element p * step + first + tap * by of the image through a tap, and zero outside.
struct WindowAxis {
  int64_t size, places, taps;
  int64_t step, first, by;

  int64_t at(int64_t place, int64_t tap) const { return place * step + first + tap * by; }
  int64_t lowest_tap(int64_t taps_from, int64_t taps_to) const { return by < 0 ? taps_to - 1 : taps_from; }
  // Whether no position reads outside.
  bool inside() const;
};

WindowAxis window_axis(const Window& w, int d);  // of the window along height (0) or width (1)

}  // namespace nabla
