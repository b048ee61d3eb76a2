// The im2col matrix of an image, block of columns by block, in the form that kernels/im2col.h reads.
#pragma once
#include <cstdint>

#include "exec/conv/window.h"
#include "kernels/gemm.h"
#include "kernels/im2col.h"
#include "runtime/workspace.h"

namespace nabla {

// The im2col matrix: row (channel, i, j) of the kernel, column (image, y, x) of an output position.
struct Im2col {
  WindowAxis y, x;
  int64_t channels;
  int64_t image;  // elements from one image to the next

  int64_t area() const { return y.taps * x.taps; }
  int64_t depth() const { return channels * area(); }
  int64_t places() const { return y.places * x.places; }
};

// Consecutive columns of the matrix, on one line if lines are longer than kBlockPlaces.
constexpr int64_t kBlockPlaces = kGemmDepth;

template <class T>
class Im2colBlock {
 public:
  // `source`: the first channel of the first of `images`. At most kMaxIm2colRuns lines are used.
  Im2colBlock(Workspace& workspace, const Im2col& w, const T* source, int64_t images, int64_t first, int64_t count);

  // Rows [row, row + rows), at most kGemmDepth, of these columns; nullptr if out of memory. May point into a copy in
  // scratch memory, so a block has one view at a time.
  const Im2colView<T>* view(int64_t row, int64_t rows);

  // f(image, y, x, start, length) for every run of columns on one line.
  template <class F>
  void each_line(F&& f) const {
    for (int64_t r = 0; r < runs_; r++) f(lines_[r].image, lines_[r].y, lines_[r].x, run_[r].start, run_[r].count);
  }
  // f(image, position in it, start, length) for every run of columns in one image.
  template <class F>
  void each_image(F&& f) const {
    for (int64_t at = 0; at < count_;) {
      const int64_t image = (first_ + at) / w_.places(), place = (first_ + at) % w_.places();
      const int64_t length = w_.places() - place < count_ - at ? w_.places() - place : count_ - at;
      f(image, place, at, length);
      at += length;
    }
  }

 private:
  struct Line {
    int64_t image, y, x;
  };
  void view_in_place(int64_t row, int64_t rows);
  bool view_copied(int64_t row, int64_t rows);

  Scratch memory_;
  const Im2col& w_;
  const T* source_;
  int64_t images_, first_, count_, runs_ = 0;
  bool in_place_;
  Line lines_[kMaxIm2colRuns];
  Im2colRun run_[kMaxIm2colRuns];
  int64_t taps_[kGemmDepth];
  Im2colView<T> view_;
};

}  // namespace nabla
