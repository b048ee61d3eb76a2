// Convolutions as matrix products: the matrix of windows (im2col.h) is made and used block by block, in scratch of a
// fixed size. Blocks and tasks are cut by shape, and sums run in a fixed order.
#include "exec/conv.h"

#include <atomic>
#include <cstring>

#include "exec/gemm.h"
#include "exec/gemm_plan.h"
#include "exec/im2col.h"
#include "runtime/memory.h"
#include "runtime/pool.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit a convolution";
constexpr const char* kNoMemory = "out of memory";

constexpr int64_t kBlockRows = 2 * kGemmDepth;
constexpr int64_t kBlockPlaces = kGemmDepth;
constexpr int64_t kWeightRows = 64;  // rows of the matrix that one task of the weight's gradient sees

struct Convolution {
  Window window;
  int64_t items;          // images times groups
  int64_t groups;
  int64_t channels, out;  // of a group
  int64_t depth() const { return channels * window.area(); }
  int64_t image() const { return channels * window.height * window.width; }
  int64_t places() const { return window.places(); }
  int64_t weight() const { return out * depth(); }
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
  c.items = x.numel() > 0 ? x.dims[0] * c.groups : 0;
  return {};
}

// body(task) for every task, of `work` multiply-adds each; stops where one fails.
template <class F>
Status each_task(int64_t tasks, int64_t work, F&& body) {
  const int64_t together = larger(kTaskWork / larger(work, 1), 1);
  std::atomic<bool> failed{false};
  parallel_for(count(tasks, together), [&](int64_t chunk) {
    for (int64_t t = chunk * together; t < smaller(tasks, (chunk + 1) * together); t++)
      if (!body(t).ok()) failed.store(true, std::memory_order_relaxed);
  });
  return failed.load() ? fail(Code::MEMORY, kNoMemory) : Status{};
}

template <class T>
T* block_scratch() {
  return static_cast<T*>(scratch(Scratch::COLUMNS, sizeof(T) * kBlockRows * kBlockPlaces));
}

// A block of the matrix of windows of an image: where it is the image, in place, else made in `block`.
template <class T>
Matrix columns_of(const T* image, const Window& w, T* block, int64_t row, int64_t rows, int64_t place, int64_t places) {
  if (w.is_point()) return {image + row * w.places() + place, w.places(), 1};
  gather_columns(block, places, image, w, row, rows, place, places);
  return {block, places, 1};
}

template <class T>
Status forward(const Convolution& c, T* y, const T* x, const T* weight) {
  const int64_t blocks = count(c.places(), kBlockPlaces);
  return each_task(c.items * blocks, c.weight() * smaller(c.places(), kBlockPlaces), [&](int64_t task) -> Status {
    const int64_t item = task / blocks, place = task % blocks * kBlockPlaces;
    const int64_t places = smaller(c.places() - place, kBlockPlaces);
    T* block = block_scratch<T>();
    if (!block) return fail(Code::MEMORY, kNoMemory);
    for (int64_t row = 0; row < c.depth(); row += kBlockRows) {
      const int64_t rows = smaller(c.depth() - row, kBlockRows);
      const Matrix columns = columns_of(x + item * c.image(), c.window, block, row, rows, place, places);
      NABLA_TRY(gemm(DTypeOf<T>::value, c.out, places, rows,
                     {weight + item % c.groups * c.weight() + row, c.depth(), 1}, columns,
                     y + item * c.out * c.places() + place, c.places(), row > 0));
    }
    return {};
  });
}

template <class T>
Status by_input(const Convolution& c, T* x, const T* y, const T* weight) {
  // One task has some channels of one image to itself.
  const int64_t together = smaller(larger(kBlockRows / c.window.area(), 1), c.channels);
  const int64_t bands = count(c.channels, together), plane = c.window.height * c.window.width;
  return each_task(c.items * bands, c.out * together * c.window.area() * c.places(), [&](int64_t task) -> Status {
    const int64_t item = task / bands, channel = task % bands * together;
    const int64_t channels = smaller(c.channels - channel, together), depth = channels * c.window.area();
    T* image = x + item * c.image() + channel * plane;
    const T* from = weight + item % c.groups * c.weight() + channel * c.window.area();
    T* block = block_scratch<T>();
    if (!block) return fail(Code::MEMORY, kNoMemory);
    const bool point = c.window.is_point();
    if (!point) std::memset(image, 0, static_cast<size_t>(channels * plane) * sizeof(T));
    for (int64_t row = 0; row < depth; row += kBlockRows) {
      const int64_t rows = smaller(depth - row, kBlockRows);
      for (int64_t place = 0; place < c.places(); place += kBlockPlaces) {
        const int64_t places = smaller(c.places() - place, kBlockPlaces);
        NABLA_TRY(gemm(DTypeOf<T>::value, rows, places, c.out, {from + row, 1, c.depth()},
                       {y + item * c.out * c.places() + place, c.places(), 1},
                       point ? image + row * plane + place : block, point ? plane : places, false));
        if (!point) scatter_columns(image, block, places, c.window, row, rows, place, places);
      }
    }
    return {};
  });
}

// The sum over some images, of some columns of a group's weight.
template <class T>
Status add_images(const Convolution& c, T* weight, const T* y, const T* x, int64_t group, int64_t row, int64_t first,
                  int64_t last) {
  T* block = block_scratch<T>();
  if (!block) return fail(Code::MEMORY, kNoMemory);
  const int64_t rows = smaller(c.depth() - row, kWeightRows);
  constexpr int64_t kPlaces = kBlockRows * kBlockPlaces / kWeightRows;
  for (int64_t n = first; n < last; n++) {
    const int64_t item = n * c.groups + group;
    for (int64_t place = 0; place < c.places(); place += kPlaces) {
      const int64_t places = smaller(c.places() - place, kPlaces);
      const Matrix columns = columns_of(x + item * c.image(), c.window, block, row, rows, place, places);
      NABLA_TRY(gemm(DTypeOf<T>::value, c.out, rows, places, {y + item * c.out * c.places() + place, c.places(), 1},
                     {columns.data, columns.col_stride, columns.row_stride}, weight + group * c.weight() + row,
                     c.depth(), n > first || place > 0));
    }
  }
  return {};
}

template <class T>
Status by_weight(const Convolution& c, T* weight, const T* y, const T* x) {
  const int64_t images = c.items / c.groups, bands = count(c.depth(), kWeightRows) * c.groups;
  // Where the weight alone gives too few tasks, each takes some images, and the sums are added up in order.
  const int64_t work = c.items * c.weight() * c.places();
  const int64_t wanted = smaller(smaller(count(kMaxTasks, bands), larger(work / bands / kTaskWork, 1)), images);
  const int64_t share = count(images, wanted), shares = count(images, share), size = c.groups * c.weight();
  Temporary memory;
  T* partials = nullptr;
  if (shares > 1) {
    partials = static_cast<T*>(memory.get((shares - 1) * size * static_cast<int64_t>(sizeof(T))));
    if (!partials) return fail(Code::MEMORY, kNoMemory);
  }
  const int64_t bands_of_group = bands / c.groups;
  NABLA_TRY(each_task(shares * bands, work / (shares * bands), [&](int64_t task) {
    const int64_t s = task / bands, band = task % bands;
    return add_images(c, s == 0 ? weight : partials + (s - 1) * size, y, x, band / bands_of_group,
                      band % bands_of_group * kWeightRows, s * share, smaller(images, (s + 1) * share));
  }));
  for (int64_t s = 1; s < shares; s++)
    for (int64_t i = 0; i < size; i++) weight[i] += partials[(s - 1) * size + i];
  return {};
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
struct ByInput {
  static constexpr auto run = by_input<T>;
};
template <class T>
struct ByWeight {
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
  return by_type<ByInput>(call, c);
}

Status run_conv2d_weight(const Call& call) {
  Convolution c;
  if (call.n_out != 1 || call.n_in != 2) return fail(Code::NATIVE, kOperands);
  NABLA_TRY(read(call, call.in(1), call.out(), call.in(0), c));
  return by_type<ByWeight>(call, c);
}

}  // namespace nabla
