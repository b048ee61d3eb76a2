// The transpose of a convolution in its input.
#include <cstring>

#include "exec/conv/product.h"

namespace nabla::conv {
namespace {

constexpr int64_t kFewChannels = 64;

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
    Scratch memory(*c.workspace);
    T* rows = memory.get<T>(channels * w.area() * (kBlockPlaces + kIm2colSpill));
    if (!rows) return out_of_memory();
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
      Im2colBlock<T> block(*c.workspace, w, image, 1, first, blocks.count(b));
      for (int64_t r = 0; r < g.m; r += kGemmDepth)
        leaf.im2col.col2im(image, rows + r * width, width, *block.view(row + r, smaller(g.m - r, kGemmDepth)));
    }
    return {};
  });
}

}  // namespace

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
  Scratch memory(*c.workspace);
  T* weights = memory.get<T>(c.groups * c.out * c.depth());
  if (!weights) return out_of_memory();
  for (int64_t i = 0; i < phases[0]; i++) {
    const Phase v = phase_of(c.window, 0, i);
    if (v.axis.taps == 0) continue;
    for (int64_t j = 0; j < phases[1]; j++) {
      const Phase h = phase_of(c.window, 1, j);
      if (h.axis.taps == 0) continue;
      NABLA_TRY(transpose_weights(c, v, h, weight, weights));
      const Target<T> target = {x + i * width + j, planes * c.plane(), c.plane(), c.window.stride[0] * width,
                                c.window.stride[1]};
      NABLA_TRY(multiply<T>({c.workspace,
                             {v.axis, h.axis, c.out, c.groups * c.out * c.window.places()},
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

template Status by_input(const Convolution&, float*, const float*, const float*);
template Status by_input(const Convolution&, double*, const double*, const double*);

}  // namespace nabla::conv
