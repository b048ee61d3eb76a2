// Convolutions as matrix products whose right operand, the im2col matrix, is gathered panel by panel as it is used
// (im2col.h). Blocks and tasks are cut by shape, and sums run in the order of a matrix product (kernels/gemm.h).
#include "exec/conv/conv.h"

#include <atomic>
#include <cstring>

#include "exec/conv/im2col.h"
#include "exec/matmul/gemm_plan.h"
#include "kernels/table.h"
#include "runtime/memory.h"
#include "runtime/pool.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit a convolution";
constexpr Status kOutOfMemory = {Code::MEMORY, "out of memory"};

struct Convolution {
  Window window;
  int64_t images, groups;
  int64_t channels, out;  // of a group
  int64_t plane() const { return window.height * window.width; }
  int64_t depth() const { return channels * window.area(); }
};

bool plain(const View& v, DType type) { return !v.scalar && v.rank == 4 && v.dtype == type && v.contiguous(); }

Status read(const Call& call, const View& x, const View& weight, const View& y, Convolution& c) {
  if (call.n_attr != 7) return fail(Code::NATIVE, kOperands);
  if (!is_float(call.out().dtype)) return fail(Code::DTYPE, "the op is not defined for this dtype");
  const DType type = call.out().dtype;
  const double groups = call.attrs[6];
  if (!plain(x, type) || !plain(weight, type) || !plain(y, type) || !(groups >= 1 && groups <= INT32_MAX) ||
      !read_window(x, weight.dims[2], weight.dims[3], y, call.attrs, c.window))
    return fail(Code::SHAPE, kOperands);
  c.groups = static_cast<int64_t>(groups);
  c.channels = weight.dims[1];
  c.out = weight.dims[0] / c.groups;
  if (static_cast<double>(c.groups) != groups || weight.dims[0] != c.out * c.groups || y.dims[1] != weight.dims[0] ||
      x.dims[1] % c.groups != 0 || x.dims[1] / c.groups != c.channels || y.dims[0] != x.dims[0])
    return fail(Code::SHAPE, kOperands);
  c.images = x.dims[0];
  return {};
}

// Runs body(task) for every task of `work` multiply-adds; stops at a failure.
template <class F>
Status each_task(int64_t tasks, int64_t work, F&& body) {
  const int64_t together = larger(kTaskWork / larger(work, 1), 1);
  std::atomic<bool> failed{false};
  parallel_for(count(tasks, together), [&](int64_t chunk) {
    for (int64_t t = chunk * together; t < smaller(tasks, (chunk + 1) * together); t++)
      if (!body(t).ok()) failed.store(true, std::memory_order_relaxed);
  });
  return failed.load() ? kOutOfMemory : Status{};
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

template <class T>
T* room(Scratch use, int64_t elements) {
  return static_cast<T*>(scratch(use, static_cast<size_t>(elements) * sizeof(T)));
}

constexpr int64_t kLeastPlaces = 64, kLeastRows = 96;  // that a task is worth its gathering for
constexpr int64_t kManyWeights = 1 << 20;  // bytes
constexpr int64_t kFewChannels = 64;
constexpr int64_t kShallow = 64;            // below, results are not worth a copy
constexpr int64_t kSmallImage = 1024;       // places
constexpr int64_t kDirectPlaces = 4096;     // that are weighed at a time
constexpr int64_t kDirectLines = 128;

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
int64_t direct_places(const Im2col& w) {
  const int64_t most = w.channels == 1 ? kDirectPlaces : kDirectPlaces / 8;
  return w.x.places > kBlockPlaces ? most : smaller(larger(kDirectLines * w.x.places / 32 * 32, 32), most);
}

// Where results go: element (image, row, y, x).
template <class T>
struct Target {
  T* data;
  int64_t image, row, line, place;
  T* at(int64_t n, int64_t o, int64_t y, int64_t x) const { return data + n * image + o * row + y * line + x * place; }
};

// target = weights [groups, m, depth] times the im2col matrix of each group.
template <class T>
struct Product {
  Im2col w;
  int64_t images, groups, m;
  const T* weights;
  int64_t weights_row, weights_k;
  const T* source;
  Target<T> target;
  int64_t source_group() const { return w.channels * w.y.size * w.x.size; }
  bool in_order() const { return target.place == 1 && target.line == w.x.places; }
};

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
    Im2colBlock<T> block(p.w, p.source + group * p.source_group(), p.images, first, places);
    T* out = made_in_place(p, first, places, group, 0);
    const bool copied = !out;
    if (copied) out = room<T>(Scratch::TILES, places);
    if (!out) return kOutOfMemory;
    for (int64_t row = 0; row < p.w.depth(); row += kGemmDepth) {
      const auto* view = block.view(row, smaller(p.w.depth() - row, kGemmDepth));
      if (!view) return kOutOfMemory;
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
      : p_(p), gemm_(Leaves<T>().gemm), band_(band), bands_(count(p.m, band)), depths_(count(p.w.depth(), kGemmDepth)) {
    size_ = count(smaller(band, p.m), gemm_.mr) * panel(0);
  }
  Status pack() {
    const int64_t pieces = p_.groups * bands_ * depths_;
    panels_ = static_cast<T*>(memory_.get(pieces * size_ * static_cast<int64_t>(sizeof(T))));
    if (!panels_) return kOutOfMemory;
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
  Temporary memory_;
  T* panels_ = nullptr;
};

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
    if (copied) {
      g.ldc = round_up(places, 16) + 16;
      g.c = room<T>(Scratch::TILES, g.m * g.ldc);
    }
    T* panels = room<T>(Scratch::GEMM_B, count(places, nr) * panel + kIm2colSpill);
    if (!g.c || !panels) return kOutOfMemory;
    Im2colBlock<T> block(p.w, p.source + group * p.source_group(), p.images, first, places);
    for (int64_t d = 0; d * kGemmDepth < depth; d++) {
      g.k = smaller(depth - d * kGemmDepth, kGemmDepth);
      const auto* view = block.view(d * kGemmDepth, g.k);
      if (!view) return kOutOfMemory;
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

template <class T>
Status forward(const Convolution& c, T* y, const T* x, const T* weight) {
  const int64_t channels = c.groups * c.channels, places = c.window.places();
  return multiply<T>({{window_axis(c.window, 0), window_axis(c.window, 1), c.channels, channels * c.plane()},
                      c.images,
                      c.groups,
                      c.out,
                      weight,
                      c.depth(),
                      1,
                      x,
                      {y, c.groups * c.out * places, places, c.window.out_width, 1}});
}

// The elements of one dimension of x at stride * place + phase, as a correlation over y with taps from, from + step, ..
struct Phase {
  WindowAxis axis;
  int64_t phase, from, step;
};
Phase phase_of(const Window& w, int d, int64_t phase) {
  const WindowAxis a = window_axis(w, d);
  Phase p{{a.places, phase < a.size ? (a.size - phase - 1) / a.step + 1 : 0, 0, 1, 0, 0}, phase, 0, 1};
  for (int64_t tap = 0; tap < a.taps && p.axis.taps < 2; tap++) {
    if ((phase - a.first - tap * a.by) % a.step != 0) continue;
    if (p.axis.taps++ == 0)
      p.from = tap;
    else
      p.step = tap - p.from;
  }
  if (p.axis.taps == 0) return p;
  p.axis.first = (phase - a.first - p.from * a.by) / a.step;
  p.axis.by = -p.step * a.by / a.step;
  if (p.axis.taps == 2) p.axis.taps = (a.taps - 1 - p.from) / p.step + 1;
  return p;
}

// weights[group, (o, i, j), channel] = weight[group, o, channel, i, j] for the taps of a phase.
template <class T>
Status transpose_weights(const Convolution& c, const Phase& v, const Phase& h, const T* weight, T* weights) {
  const int64_t rows = v.axis.taps, cols = h.axis.taps, area = c.window.area();
  return each_task(c.groups * c.out, 4 * c.channels * rows * cols, [&](int64_t t) -> Status {
    const T* from = weight + t * c.depth();
    T* to = weights + t * c.channels * rows * cols;
    for (int64_t i = 0; i < rows; i++) {
      for (int64_t j = 0; j < cols; j++, to += c.channels) {
        const T* tap = from + (v.from + i * v.step) * c.window.cols + h.from + j * h.step;
        for (int64_t channel = 0; channel < c.channels; channel++) to[channel] = tap[channel * area];
      }
    }
    return {};
  });
}

// By col2im: the product of the transposed weights and y, whose elements are added to x where they belong.
template <class T>
Status by_col2im(const Convolution& c, T* x, const T* y, const T* weight) {
  const Leaves<T> leaf;
  const Im2col w = {window_axis(c.window, 0), window_axis(c.window, 1), c.channels, c.groups * c.channels * c.plane()};
  const PlaceBlocks blocks(w, 1, kBlockPlaces, false);
  const int64_t places = w.places(), items = c.images * c.groups;
  const int64_t together = larger(smaller(kGemmDepth / w.area(), c.channels), 1);
  const int64_t bands = count(c.channels, together);
  return each_task(items * bands, together * w.area() * places * c.out, [&](int64_t task) -> Status {
    const int64_t item = task / bands, channel = task % bands * together;
    const int64_t channels = smaller(together, c.channels - channel), row = channel * w.area();
    T* image = x + item * c.channels * c.plane();
    std::memset(image + channel * c.plane(), 0, static_cast<size_t>(channels * c.plane()) * sizeof(T));
    T* rows = room<T>(Scratch::TILES, channels * w.area() * (kBlockPlaces + kIm2colSpill));
    if (!rows) return kOutOfMemory;
    for (int64_t b = 0; b < blocks.blocks; b++) {
      const int64_t first = blocks.first(b), width = blocks.count(b) + kIm2colSpill;
      GemmBlock<T> g{channels * w.area(),
                     blocks.count(b),
                     0,
                     nullptr,
                     1,
                     c.depth(),
                     0,
                     nullptr,
                     places,
                     leaf.gemm.nr,
                     rows,
                     width,
                     nullptr,
                     width};
      for (int64_t o = 0; o < c.out; o += kGemmDepth) {
        g.k = smaller(c.out - o, kGemmDepth);
        g.a = weight + (item % c.groups * c.out + o) * c.depth() + row;
        g.b = y + (item * c.out + o) * places + first;
        g.addend = o > 0 ? rows : nullptr;
        leaf.gemm.block(g);
      }
      Im2colBlock<T> block(w, image, 1, first, blocks.count(b));
      for (int64_t r = 0; r < g.m; r += kGemmDepth)
        leaf.im2col.col2im(image, rows + r * width, width, *block.view(row + r, smaller(g.m - r, kGemmDepth)));
    }
    return {};
  });
}

template <class T>
Status by_input(const Convolution& c, T* x, const T* y, const T* weight) {
  const int64_t height = c.window.height, width = c.window.width, planes = c.groups * c.channels;
  // With few channels, gathering costs too much for products of few rows.
  if (c.window.stride[1] == 1 && window_axis(c.window, 0).inside() && window_axis(c.window, 1).inside() &&
      c.window.area() > 1 && c.window.area() <= kGemmDepth && c.channels <= kFewChannels && c.out >= 2 * c.channels)
    return by_col2im(c, x, y, weight);
  const int64_t phases[2] = {smaller(c.window.stride[0], height), smaller(c.window.stride[1], width)};
  bool filled = true;
  for (int d = 0; d < 2; d++)
    for (int64_t i = 0; i < phases[d]; i++) filled = filled && phase_of(c.window, d, i).axis.taps > 0;
  if (!filled)
    NABLA_TRY(each_task(c.images * planes, c.plane(), [&](int64_t plane) -> Status {
      std::memset(x + plane * c.plane(), 0, static_cast<size_t>(c.plane()) * sizeof(T));
      return {};
    }));
  Temporary memory;
  T* weights = static_cast<T*>(memory.get(c.groups * c.out * c.depth() * static_cast<int64_t>(sizeof(T))));
  if (!weights) return kOutOfMemory;
  for (int64_t i = 0; i < phases[0]; i++) {
    const Phase v = phase_of(c.window, 0, i);
    if (v.axis.taps == 0) continue;
    for (int64_t j = 0; j < phases[1]; j++) {
      const Phase h = phase_of(c.window, 1, j);
      if (h.axis.taps == 0) continue;
      NABLA_TRY(transpose_weights(c, v, h, weight, weights));
      const Target<T> target = {x + i * width + j, planes * c.plane(), c.plane(), c.window.stride[0] * width,
                                c.window.stride[1]};
      NABLA_TRY(multiply<T>({{v.axis, h.axis, c.out, c.groups * c.out * c.window.places()},
                             c.images,
                             c.groups,
                             c.channels,
                             weights,
                             1,
                             c.channels,
                             y,
                             target}));
    }
  }
  return {};
}

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
    Temporary memory;
    sums_ = static_cast<T*>(memory.get(shares_ * size * static_cast<int64_t>(sizeof(T))));
    if (!sums_) return kOutOfMemory;
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
    Im2colBlock<T> block(w_, x_of(group), c_.images, blocks_.first(b), places);
    T* panels = room<T>(Scratch::GEMM_B, count(c_.out, nr) * panel);
    T* rows = room<T>(Scratch::GEMM_A, kBandRows * pitch + kIm2colSpill);
    if (!panels || !rows) return kOutOfMemory;
    block.each_image([&](int64_t n, int64_t place, int64_t start, int64_t length) {
      for (int64_t o = 0; o < c_.out; o += nr)
        leaf_.gemm.pack_b(panels + o / nr * panel + start * nr, y_of(n, group) + o * w_.places() + place, 1,
                          w_.places(), smaller(c_.out - o, nr), length);
    });
    const int64_t end = smaller(c_.depth(), row + band_);
    for (; row < end; row += kBandRows) {
      const int64_t height = smaller(end - row, kBandRows);
      const auto* view = block.view(row, height);
      if (!view) return kOutOfMemory;
      leaf_.im2col.gather(rows, pitch, 0, *view);
      leaf_.gemm.block({height, c_.out, places, rows, pitch, 1, 0, panels, nr, panel, sums + row * c_.out, c_.out,
                        accumulate ? sums + row * c_.out : nullptr, c_.out});
    }
    return {};
  }

  Status dot(T* sums, int64_t group, int64_t b, bool accumulate) const {
    const int64_t places = blocks_.count(b);
    Im2colBlock<T> block(w_, x_of(group), c_.images, blocks_.first(b), places);
    T* values = room<T>(Scratch::GEMM_B, places);
    if (!values) return kOutOfMemory;
    block.each_image([&](int64_t n, int64_t place, int64_t start, int64_t length) {
      std::memcpy(values + start, y_of(n, group) + place, static_cast<size_t>(length) * sizeof(T));
    });
    for (int64_t row = 0; row < c_.depth(); row += kGemmDepth) {
      const auto* view = block.view(row, smaller(c_.depth() - row, kGemmDepth));
      if (!view) return kOutOfMemory;
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
    T* transposed = room<T>(Scratch::TILES, gemm_panel(nr, kTransposed));
    if (!transposed) return kOutOfMemory;
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

template <class T>
Status by_weight(const Convolution& c, T* weight, const T* y, const T* x) {
  return ByWeight<T>(c, weight, y, x).run();
}

template <template <class> class BODY>
Status by_type(const Call& call, const Convolution& c) {
  const View &out = call.out(), &a = call.in(0), &b = call.in(1);
  if (a.numel() == 0 || b.numel() == 0) {
    if (out.numel() > 0) std::memset(out.data, 0, static_cast<size_t>(out.numel()) * size_of(out.dtype));
    return {};
  }
  return out.dtype == DType::F32 ? BODY<float>::run(c, out.as<float>(), a.as<float>(), b.as<float>())
                                 : BODY<double>::run(c, out.as<double>(), a.as<double>(), b.as<double>());
}

template <class T>
struct Forward {
  static constexpr auto run = forward<T>;
};
template <class T>
struct Spread {
  static constexpr auto run = by_input<T>;
};
template <class T>
struct Correlate {
  static constexpr auto run = by_weight<T>;
};

}  // namespace

Status run_conv2d(const Call& call) {
  Convolution c;
  if (call.n_out != 1 || call.n_in != 2) return fail(Code::NATIVE, kOperands);
  NABLA_TRY(read(call, call.in(0), call.in(1), call.out(), c));
  return by_type<Forward>(call, c);
}

Status run_conv2d_input(const Call& call) {
  Convolution c;
  if (call.n_out != 1 || call.n_in != 2) return fail(Code::NATIVE, kOperands);
  NABLA_TRY(read(call, call.out(), call.in(1), call.in(0), c));
  return by_type<Spread>(call, c);
}

Status run_conv2d_weight(const Call& call) {
  Convolution c;
  if (call.n_out != 1 || call.n_in != 2) return fail(Code::NATIVE, kOperands);
  NABLA_TRY(read(call, call.in(1), call.out(), call.in(0), c));
  return by_type<Correlate>(call, c);
}

}  // namespace nabla
