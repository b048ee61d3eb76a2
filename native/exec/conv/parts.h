// Shared by a convolution and its two transposes: the sizes, tasks, and output positions in blocks.
#pragma once
#include <atomic>

#include "base/status.h"
#include "exec/conv/im2col.h"
#include "exec/matmul/gemm_plan.h"
#include "kernels/table.h"
#include "runtime/pool.h"
#include "runtime/workspace.h"

namespace nabla::conv {

struct Convolution {
  Workspace* workspace;
  Window window;
  int64_t images, groups;
  int64_t channels, out;  // of a group
  int64_t plane() const { return window.height * window.width; }
  int64_t depth() const { return channels * window.area(); }
};

// The transposes of y = conv(x, weight): each overwrites its first operand.
template <class T>
Status by_input(const Convolution& c, T* x, const T* y, const T* weight);
template <class T>
Status by_weight(const Convolution& c, T* weight, const T* y, const T* x);

// Runs body(task) for every task of `work` multiply-adds; stops at a failure.
template <class F>
Status each_task(int64_t tasks, int64_t work, F&& body) {
  const int64_t together = larger(kTaskWork / larger(work, 1), 1);
  std::atomic<bool> failed{false};
  parallel_for(count(tasks, together), [&](int64_t chunk) {
    for (int64_t t = chunk * together; t < smaller(tasks, (chunk + 1) * together); t++)
      if (!body(t).ok()) failed.store(true, std::memory_order_relaxed);
  });
  return failed.load() ? out_of_memory() : Status{};
}

template <class T>
struct Leaves;
template <>
struct Leaves<float> {
  const GemmKernels<float>& gemm = kernels().gemm.f32;
  const Im2colKernels<float>& im2col = kernels().im2col.f32;
};
template <>
struct Leaves<double> {
  const GemmKernels<double>& gemm = kernels().gemm.f64;
  const Im2colKernels<double>& im2col = kernels().im2col.f64;
};

// Output positions of all images, in blocks of nearly equal width. Small images share blocks.
struct PlaceBlocks {
  int64_t unit, per_unit, width, blocks;

  PlaceBlocks(const Im2col& w, int64_t images, int64_t most, bool merge) {
    const int64_t places = w.places();
    unit = w.x.places > kBlockPlaces ? w.x.places : merge ? places * images : places;
    per_unit = nabla::count(unit, most);
    width = smaller(round_up(nabla::count(unit, per_unit), 16), most);
    per_unit = nabla::count(unit, width);
    blocks = places * images / unit * per_unit;
  }
  int64_t first(int64_t block) const { return block / per_unit * unit + block % per_unit * width; }
  int64_t count(int64_t block) const { return smaller(width, unit - block % per_unit * width); }
};

// Positions per step of the direct convolution: more for one channel, on a limited number of lines.
inline int64_t direct_places(const Im2col& w) {
  constexpr int64_t kPlaces = 4096, kLines = 128;  // that are weighed at a time
  const int64_t most = w.channels == 1 ? kPlaces : kPlaces / 8;
  return w.x.places > kBlockPlaces ? most : smaller(larger(kLines * w.x.places / 32 * 32, 32), most);
}

}  // namespace nabla::conv
