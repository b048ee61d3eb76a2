// A window that slides over images, and the matrix of what it sees: row (channel, i, j) of the window, column (y, x) of
// the result.
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
  // The matrix is the image itself.
  bool is_point() const {
    return area() == 1 && stride[0] == 1 && stride[1] == 1 && padding[0] == 0 && padding[1] == 0;
  }
};

// From the last two dimensions of image, window and result, and six numbers: strides, paddings, dilations. False where
// they do not fit each other.
bool read_window(const View& image, int64_t rows, int64_t cols, const View& result, const double* numbers, Window& w);

// Rows [row, row + rows) of the matrix at places [place, place + places), `step` elements from row to row. The image
// starts at the channel of row 0. float and double.
template <class T>
void gather_columns(T* columns, int64_t step, const T* image, const Window& w, int64_t row, int64_t rows, int64_t place,
                    int64_t places);
// The transpose: adds the same part of the matrix to the image.
template <class T>
void scatter_columns(T* image, const T* columns, int64_t step, const Window& w, int64_t row, int64_t rows,
                     int64_t place, int64_t places);

}  // namespace nabla
