#pragma once
#include "base/layout.h"

namespace nabla {

// Iterates over a shape in row-major order, and over the offsets in a tensor; along `dim`, whose positions come from an
// index, the offset stays.
class Walk {
 public:
  Walk(const View& shape, const View& tensor, int dim, int64_t start) : shape_(shape) {
    for (int d = shape.rank - 1; d >= 0; d--) {
      strides_[d] = d == dim ? 0 : tensor.strides[d];
      at_[d] = start % shape.dims[d];
      start /= shape.dims[d];
      offset_ += at_[d] * strides_[d];
    }
  }
  int64_t offset() const { return offset_; }
  void next() { advance(1); }
  // The last dimension: the number of remaining elements, and their stride.
  int64_t left() const { return shape_.dims[shape_.rank - 1] - at_[shape_.rank - 1]; }
  int64_t step() const { return strides_[shape_.rank - 1]; }
  // n <= left()
  void advance(int64_t n) {
    for (int d = shape_.rank - 1; d >= 0; d--, n = 1) {
      offset_ += n * strides_[d];
      if ((at_[d] += n) < shape_.dims[d]) return;
      offset_ -= shape_.dims[d] * strides_[d];
      at_[d] = 0;
    }
  }

 private:
  const View& shape_;
  int64_t strides_[kMaxRank], at_[kMaxRank], offset_ = 0;
};

}  // namespace nabla
