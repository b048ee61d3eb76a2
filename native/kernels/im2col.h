// Kernels on the im2col matrix of images: gather it into panels, or multiply it by weights or values without storing
// it.
#pragma once
#include <cstdint>

namespace nabla {

constexpr int64_t kIm2colSpill = 16;
constexpr int64_t kMaxIm2colRuns = 512;  // of a view

// Consecutive output positions on one line: the first is the `start`-th of its block and reads element `at`.
struct Im2colRun {
  int64_t at;
  int32_t start, count;
};

// Tap t at the i-th place of a run is source[run.at + i + taps[t]]. Nothing else is read, unless padded.
template <class T>
struct Im2colView {
  const T* source;
  const int64_t* taps;
  int64_t n_taps;
  const Im2colRun* runs;  // one after the other, without gaps
  int64_t n_runs;
  bool padded;  // kIm2colSpill elements past the end of each run may be read through every tap
};

template <class T>
struct Im2colKernels {
  // `count` elements of a line of `size`, `step` apart from `start` on; zeros where there are none.
  void (*copy)(T* to, const T* line, int64_t size, int64_t start, int64_t step, int64_t count);
  // Panels of `width` positions, `panel` elements from one to the next: (tap, position) at tap * width + position.
  // Writes up to kIm2colSpill elements beyond a panel.
  void (*gather)(T* panels, int64_t width, int64_t panel, const Im2colView<T>& view);
  // target[run.at + i + taps[t]] += rows[t * width + run.start + i]: the transpose of gather. Does not read the source.
  void (*col2im)(T* target, const T* rows, int64_t width, const Im2colView<T>& view);
  // out[position] (+)= the sum over taps of weight times input, one chain of fused multiply-adds.
  void (*convolve)(T* out, const T* weights, bool accumulate, const Im2colView<T>& view);
  // sums[tap] (+)= the sum over positions of value times input.
  void (*dot)(T* sums, const T* values, bool accumulate, const Im2colView<T>& view);
};

// out[i] = base + i * step + offset of the tap that sees the largest at seen[i + tap], the first among equals, NaN if
// there is one.
using LargestFn = void (*)(int32_t* out, const float* seen, const int64_t* taps, const int32_t* offsets, int64_t n_taps,
                           int32_t base, int32_t step, int64_t count);

struct Im2colTable {
  Im2colKernels<float> f32;
  Im2colKernels<double> f64;
  LargestFn largest;
};

}  // namespace nabla
