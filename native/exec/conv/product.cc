#include "exec/conv/product.h"

#include <cstring>

namespace nabla::conv {
namespace {

constexpr int64_t kLeastPlaces = 64, kLeastRows = 96;  // that a task is worth its gathering for
constexpr int64_t kManyWeights = 1 << 20;              // bytes
constexpr int64_t kShallow = 64;                       // below, results are not worth a copy
constexpr int64_t kSmallImage = 1024;                  // places

// Copies a tile of rows to the target, if it was not computed in place.
template <class T>
void put(const Product<T>& p, const Im2colBlock<T>& block, int64_t group, int64_t row, int64_t rows, const T* tile,
         int64_t width) {
  const auto each_row = [&](int64_t length, int64_t start, T* to, int64_t step) {
    for (int64_t r = 0; r < rows; r++, to += p.target.row) {
      const T* from = tile + r * width + start;
      if (step == 1)
        std::memcpy(to, from, static_cast<size_t>(length) * sizeof(T));
      else
        for (int64_t k = 0; k < length; k++) to[k * step] = from[k];
    }
  };
  const int64_t o = group * p.m + row;
  if (p.in_order()) {
    block.each_image([&](int64_t n, int64_t place, int64_t start, int64_t length) {
      each_row(length, start, p.target.at(n, o, 0, place), 1);
    });
  } else {
    block.each_line([&](int64_t n, int64_t y, int64_t x, int64_t start, int64_t length) {
      each_row(length, start, p.target.at(n, o, y, x), p.target.place);
    });
  }
}

// The target of a block if its results can be written in place, else nullptr.
template <class T>
T* made_in_place(const Product<T>& p, int64_t first, int64_t count, int64_t group, int64_t row) {
  const int64_t n = first / p.w.places(), place = first % p.w.places();
  if (!p.in_order() || place + count > p.w.places()) return nullptr;
  return p.target.at(n, group * p.m + row, 0, place);
}

// Direct convolution with one row of weights, which is too little for a matrix product.
template <class T>
Status convolve_directly(const Product<T>& p) {
  const Leaves<T> leaf;
  const PlaceBlocks blocks(p.w, p.images, direct_places(p.w), p.w.places() < kSmallImage);
  return each_task(p.groups * blocks.blocks, blocks.width * p.w.depth(), [&](int64_t task) -> Status {
    const int64_t group = task / blocks.blocks, b = task % blocks.blocks;
    const int64_t first = blocks.first(b), places = blocks.count(b);
    Im2colBlock<T> block(*p.workspace, p.w, p.source + group * p.source_group(), p.images, first, places);
    T* out = made_in_place(p, first, places, group, 0);
    const bool copied = !out;
    Scratch tile(*p.workspace);
    if (copied) out = tile.get<T>(places);
    if (!out) return out_of_memory();
    for (int64_t row = 0; row < p.w.depth(); row += kGemmDepth) {
      const auto* view = block.view(row, smaller(p.w.depth() - row, kGemmDepth));
      if (!view) return out_of_memory();
      leaf.im2col.convolve(out, p.weights + group * p.w.depth() + row, row > 0, *view);
    }
    if (copied) put(p, block, group, 0, 1, out, places);
    return {};
  });
}

// Packed weights: for each band of rows, group and block of depth. Bands come first here and in the order of tasks, so
// that a thread starts with the bands that it packed.
template <class T>
class PackedWeights {
 public:
  PackedWeights(const Product<T>& p, int64_t band)
      : p_(p),
        gemm_(Leaves<T>().gemm),
        band_(band),
        bands_(count(p.m, band)),
        depths_(count(p.w.depth(), kGemmDepth)),
        memory_(*p.workspace) {
    size_ = count(smaller(band, p.m), gemm_.mr) * panel(0);
  }
  Status pack() {
    const int64_t pieces = p_.groups * bands_ * depths_;
    panels_ = memory_.get<T>(pieces * size_);
    if (!panels_) return out_of_memory();
    return each_task(pieces, smaller(p_.m, band_) * kGemmDepth, [&](int64_t t) -> Status {
      const int64_t d = t % depths_, group = t / depths_ % p_.groups, band = t / depths_ / p_.groups;
      const int64_t row = band * band_, depth = p_.w.depth();
      const int64_t from = group * p_.m * depth + row * p_.weights_row + d * kGemmDepth * p_.weights_k;
      gemm_.pack_a(panels_ + t * size_, p_.weights + from, p_.weights_row, p_.weights_k, smaller(p_.m - row, band_),
                   smaller(depth - d * kGemmDepth, kGemmDepth));
      return {};
    });
  }
  void choose(GemmBlock<T>& g, int64_t group, int64_t band, int64_t d) const {
    g.a = panels_ + ((band * p_.groups + group) * depths_ + d) * size_;
    g.a_row = 1;
    g.a_k = gemm_.mr;
    g.a_panel = panel(d);
  }

 private:
  int64_t panel(int64_t d) const { return gemm_panel(gemm_.mr, smaller(p_.w.depth() - d * kGemmDepth, kGemmDepth)); }
  const Product<T>& p_;
  const GemmKernels<T>& gemm_;
  int64_t band_, bands_, depths_, size_;
  Scratch memory_;
  T* panels_ = nullptr;
};

}  // namespace

template <class T>
Status multiply(const Product<T>& p) {
  if (p.w.places() == 0 || p.w.depth() == 0) return {};
  if (p.m == 1) return convolve_directly(p);
  const Leaves<T> leaf;
  const int64_t depth = p.w.depth(), nr = leaf.gemm.nr;
  const int64_t wanted = tasks_for(thread_limit());
  int64_t most = kBlockPlaces;
  while (most > kLeastPlaces && p.groups * count(p.images * p.w.places(), most) < wanted / 2) most /= 2;
  const PlaceBlocks blocks(p.w, p.images, most, p.w.places() < kSmallImage && depth >= kShallow);
  int64_t band = p.m;
  // With many weights, each thread handles a band instead of reading all.
  if (wanted > 1 && p.m * depth * static_cast<int64_t>(sizeof(T)) >= kManyWeights)
    band = larger(round_up(count(p.m, thread_limit()), 4), smaller(kLeastRows, p.m));
  while (p.groups * blocks.blocks * count(p.m, band) < wanted / 4 && band > kLeastRows) band = round_up(band / 2, 4);
  const int64_t bands = count(p.m, band);
  PackedWeights<T> packed(p, band);
  NABLA_TRY(packed.pack());
  const int64_t panel = gemm_panel(nr, smaller(depth, kGemmDepth));
  return each_task(p.groups * blocks.blocks * bands, band * blocks.width * depth, [&](int64_t task) -> Status {
    const int64_t b = task % blocks.blocks, group = task / blocks.blocks % p.groups;
    const int64_t row = task / blocks.blocks / p.groups * band;
    const int64_t first = blocks.first(b), places = blocks.count(b);
    GemmBlock<T> g;
    g.m = smaller(p.m - row, band);
    g.n = places;
    g.c = made_in_place(p, first, places, group, row);
    g.ldc = p.target.row;
    const bool copied = !g.c;
    Scratch tile(*p.workspace), matrix(*p.workspace);
    if (copied) {
      g.ldc = round_up(places, 16) + 16;
      g.c = tile.get<T>(g.m * g.ldc);
    }
    T* panels = matrix.get<T>(count(places, nr) * panel + kIm2colSpill);
    if (!g.c || !panels) return out_of_memory();
    Im2colBlock<T> block(*p.workspace, p.w, p.source + group * p.source_group(), p.images, first, places);
    for (int64_t d = 0; d * kGemmDepth < depth; d++) {
      g.k = smaller(depth - d * kGemmDepth, kGemmDepth);
      const auto* view = block.view(d * kGemmDepth, g.k);
      if (!view) return out_of_memory();
      leaf.im2col.gather(panels, nr, panel, *view);
      packed.choose(g, group, row / band, d);
      g.b = panels;
      g.b_k = nr;
      g.b_panel = panel;
      g.addend = d > 0 ? g.c : nullptr;
      g.addend_row = g.ldc;
      leaf.gemm.block(g);
    }
    if (copied) put(p, block, group, row, g.m, g.c, g.ldc);
    return {};
  });
}

template Status multiply(const Product<float>&);
template Status multiply(const Product<double>&);

}  // namespace nabla::conv
