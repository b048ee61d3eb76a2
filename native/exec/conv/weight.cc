// The transpose of a convolution in its weight.
#include <cstring>

#include "exec/conv/parts.h"

namespace nabla::conv {
namespace {

// The weight's gradient as its transpose, the im2col matrix times y, so that its rows are read in order. Positions are
// the depth of the product: blocks of them are added up in order, and so are shares of the blocks.
template <class T>
class ByWeight {
 public:
  ByWeight(const Convolution& c, T* weight, const T* y, const T* x)
      : c_(c),
        weight_(weight),
        y_(y),
        x_(x),
        w_{window_axis(c.window, 0), window_axis(c.window, 1), c.channels, c.groups * c.channels * c.plane()},
        direct_(c.channels == 1 && c.out == 1),
        blocks_(w_, c.images, direct_ ? direct_places(w_) : kBlockPlaces, true) {
    shares_ = larger(smaller(kMaxTasks, blocks_.blocks / kLeastBlocks), 1);
    share_ = count(blocks_.blocks, shares_);
    shares_ = count(blocks_.blocks, share_);
    const int64_t pieces = count(kMaxTasks, shares_ * c.groups);
    band_ = direct_ ? c.depth() : smaller(round_up(count(c.depth(), pieces), kBandRows), round_up(c.depth(), 6));
    bands_ = count(c.depth(), band_);
  }

  Status run() {
    const int64_t size = c_.groups * c_.depth() * c_.out;
    Scratch memory(*c_.workspace);
    sums_ = memory.get<T>(shares_ * size);
    if (!sums_) return out_of_memory();
    const int64_t tasks = c_.groups * shares_ * bands_;
    NABLA_TRY(each_task(tasks, share_ * blocks_.width * band_ * c_.out, [&](int64_t t) -> Status {
      const int64_t band = t % bands_, share = t / bands_ % shares_, group = t / bands_ / shares_;
      T* sums = sums_ + share * size + group * c_.depth() * c_.out;
      for (int64_t b = share * share_; b < smaller(blocks_.blocks, (share + 1) * share_); b++)
        NABLA_TRY(direct_ ? dot(sums, group, b, b > share * share_)
                          : add(sums, group, band * band_, b, b > share * share_));
      return {};
    }));
    const int64_t nr = leaf_.gemm.nr, strips = count(c_.depth(), nr);
    return each_task(c_.groups * strips, nr * c_.out * (shares_ + 2),
                     [&](int64_t t) -> Status { return finish(t / strips, t % strips * nr, size); });
  }

 private:
  static constexpr int64_t kLeastBlocks = 4;
  static constexpr int64_t kBandRows = 96;  // gathered at a time

  const T* y_of(int64_t image, int64_t group) const { return y_ + (image * c_.groups + group) * c_.out * w_.places(); }
  const T* x_of(int64_t group) const { return x_ + group * c_.channels * c_.plane(); }

  Status add(T* sums, int64_t group, int64_t row, int64_t b, bool accumulate) const {
    const int64_t nr = leaf_.gemm.nr, places = blocks_.count(b), panel = gemm_panel(nr, places);
    const int64_t pitch = kBlockPlaces + kIm2colSpill;
    Im2colBlock<T> block(*c_.workspace, w_, x_of(group), c_.images, blocks_.first(b), places);
    Scratch right(*c_.workspace), left(*c_.workspace);
    T* panels = right.get<T>(count(c_.out, nr) * panel);
    T* rows = left.get<T>(kBandRows * pitch + kIm2colSpill);
    if (!panels || !rows) return out_of_memory();
    block.each_image([&](int64_t n, int64_t place, int64_t start, int64_t length) {
      for (int64_t o = 0; o < c_.out; o += nr)
        leaf_.gemm.pack_b(panels + o / nr * panel + start * nr, y_of(n, group) + o * w_.places() + place, 1,
                          w_.places(), smaller(c_.out - o, nr), length);
    });
    const int64_t end = smaller(c_.depth(), row + band_);
    for (; row < end; row += kBandRows) {
      const int64_t height = smaller(end - row, kBandRows);
      const auto* view = block.view(row, height);
      if (!view) return out_of_memory();
      leaf_.im2col.gather(rows, pitch, 0, *view);
      leaf_.gemm.block({height, c_.out, places, rows, pitch, 1, 0, panels, nr, panel, sums + row * c_.out, c_.out,
                        accumulate ? sums + row * c_.out : nullptr, c_.out});
    }
    return {};
  }

  Status dot(T* sums, int64_t group, int64_t b, bool accumulate) const {
    const int64_t places = blocks_.count(b);
    Im2colBlock<T> block(*c_.workspace, w_, x_of(group), c_.images, blocks_.first(b), places);
    Scratch memory(*c_.workspace);
    T* values = memory.get<T>(places);
    if (!values) return out_of_memory();
    block.each_image([&](int64_t n, int64_t place, int64_t start, int64_t length) {
      std::memcpy(values + start, y_of(n, group) + place, static_cast<size_t>(length) * sizeof(T));
    });
    for (int64_t row = 0; row < c_.depth(); row += kGemmDepth) {
      const auto* view = block.view(row, smaller(c_.depth() - row, kGemmDepth));
      if (!view) return out_of_memory();
      leaf_.im2col.dot(sums + row, values, accumulate, *view);
    }
    return {};
  }

  // Adds up the shares of some rows, and transposes them.
  Status finish(int64_t group, int64_t row, int64_t size) const {
    constexpr int64_t kTransposed = 256;  // of `out` at a time
    const int64_t nr = leaf_.gemm.nr, rows = smaller(c_.depth() - row, nr);
    T* sums = sums_ + (group * c_.depth() + row) * c_.out;
    for (int64_t s = 1; s < shares_; s++)
      for (int64_t i = 0; i < rows * c_.out; i++) sums[i] += sums[s * size + i];
    Scratch memory(*c_.workspace);
    T* transposed = memory.get<T>(gemm_panel(nr, kTransposed));
    if (!transposed) return out_of_memory();
    for (int64_t o = 0; o < c_.out; o += kTransposed) {
      const int64_t some = smaller(c_.out - o, kTransposed);
      leaf_.gemm.pack_b(transposed, sums + o, 1, c_.out, rows, some);
      for (int64_t i = 0; i < some; i++)
        std::memcpy(weight_ + (group * c_.out + o + i) * c_.depth() + row, transposed + i * nr,
                    static_cast<size_t>(rows) * sizeof(T));
    }
    return {};
  }

  const Leaves<T> leaf_;
  const Convolution& c_;
  T* weight_;
  const T *y_, *x_;
  const Im2col w_;
  const bool direct_;
  const PlaceBlocks blocks_;
  int64_t shares_, share_, band_, bands_;
  T* sums_ = nullptr;
};

}  // namespace

template <class T>
Status by_weight(const Convolution& c, T* weight, const T* y, const T* x) {
  return ByWeight<T>(c, weight, y, x).run();
}

template Status by_weight(const Convolution&, float*, const float*, const float*);
template Status by_weight(const Convolution&, double*, const double*, const double*);

}  // namespace nabla::conv
