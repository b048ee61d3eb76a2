#include "exec/norm/batch_norm.h"

#include <algorithm>
#include <cstring>

#include "exec/common/rows.h"
#include "kernels/table.h"
#include "runtime/workspace.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit batchNorm";
constexpr int64_t kOwn = 3;  // mean, variance and rate of a batch's channels
constexpr int64_t kTogether = 32;  // channels of size 1 that a task takes at least

bool by_channel(const View& v, const View& x) {
  return !v.scalar && v.rank == 1 && v.dims[0] == x.dims[1] && v.dtype == x.dtype && v.contiguous();
}
// Rows of one value for each channel, in the dtype of the arithmetic.
bool by_channels(const View& v, const View& x, int64_t rows) {
  return !v.scalar && v.rank == 2 && v.dims[0] == rows && v.dims[1] == x.dims[1] && v.dtype == computed(x.dtype) &&
         v.contiguous();
}

// Channels from `first` on of x [n, channels, ..], of all images or of one: runs of elements, `step` apart.
struct Part {
  int64_t images, first, channels, size, start, step;

  int64_t run() const { return channels * size; }
};

// f(channels of one task).
template <class F>
void over_channels(const View& x, F&& f) {
  const int64_t channels = x.dims[1], of_channel = x.numel() / channels;
  int64_t per_task = kRowsChunk / of_channel + 1;
  const int64_t size = of_channel / x.dims[0];
  if (size == 1) per_task = (per_task + kTogether - 1) / kTogether * kTogether;
  parallel_for((channels + per_task - 1) / per_task, [&](int64_t task) {
    const int64_t first = task * per_task, left = channels - first;
    f(Part{x.dims[0], first, left < per_task ? left : per_task, size, first * size, channels * size});
  });
}

// f(channels of one image), cut without regard to images.
template <class F>
void over_planes(const View& x, F&& f) {
  const int64_t images = x.dims[0], channels = x.dims[1], size = x.numel() / (images * channels);
  const int64_t planes = images * channels, per_task = kRowsChunk / size + 1;
  parallel_for((planes + per_task - 1) / per_task, [&](int64_t task) {
    const int64_t end = (task + 1) * per_task < planes ? (task + 1) * per_task : planes;
    for (int64_t plane = task * per_task, next; plane < end; plane = next) {
      const int64_t image = plane / channels;
      next = (image + 1) * channels < end ? (image + 1) * channels : end;
      f(Part{1, plane % channels, next - plane, size, plane * size, channels * size});
    }
  });
}

// The elements of a part in memory, in place or as float32 in a tile.
struct Elements {
  const char* data;  // null if there is no memory
  ChannelBlock block;

  Elements(const Source& source, Scratch& tile, const Part& part) {
    int64_t step = part.step;
    data = source.read(tile, part.start, part.images, part.run(), step);
    block = {part.images, step / part.size, part.size, 0, part.channels};
  }
};

// First the statistics of a channel, then the elementwise pass: immediately, while the channel is in the cache, or, if
// channels are columns, in memory order. f(part, whether to take its statistics, whether to write its elements).
template <class F>
void by_moments(const View& x, F&& f) {
  const bool columns = x.numel() == x.dims[0] * x.dims[1];
  over_channels(x, [&](const Part& part) { f(part, true, !columns); });
  if (columns) over_planes(x, [&](const Part& part) { f(part, false, true); });
}

// f(channels of one task), afterwards, if one of the means is far.
template <class F>
void if_far(const View& x, const void* means, F&& f) {
  const auto any = [&](auto zero) {
    const auto* mean = static_cast<const decltype(zero)*>(means);
    return std::any_of(mean, mean + x.dims[1], is_far<decltype(zero)>);
  };
  if (x.dtype == DType::F64 ? any(0.0) : any(0.0f)) over_channels(x, f);
}

}  // namespace

Status run_batch_norm(const Call& call) {
  if (call.n_out < 1 || call.n_out > 2 || call.n_in < 3 || call.n_in > 4 || call.n_out + call.n_in > 5 ||
      call.n_attr != 1)
    return fail(Code::NATIVE, kOperands);
  const View &y = call.out(), &x = call.in(0);
  const DType type = computed(y.dtype);
  if (!is_float(type)) return fail(Code::DTYPE, "the op is not defined for this dtype");
  const bool given = call.n_in > 3, wanted = call.n_out > 1;
  if (!rows_alike(y, x) || x.rank < 2 || !by_channel(call.in(1), x) || !by_channel(call.in(2), x) ||
      (given && !by_channels(call.in(3), x, 2)) || (wanted && !by_channels(call.out(1), x, kOwn)))
    return fail(Code::SHAPE, kOperands);
  const int64_t size = static_cast<int64_t>(size_of(type)), row = x.dims[1] * size;
  if (x.numel() == 0) {
    if (wanted) std::memset(call.out(1).data, 0, static_cast<size_t>(kOwn * row));
    return {};
  }
  Scratch memory(call.workspace), of_weight(call.workspace), of_bias(call.workspace);
  char* rate = memory.get<char>((1 + kOwn) * row);
  if (!rate) return out_of_memory();
  char* mean = given ? call.in(3).as<char>() : wanted ? call.out(1).as<char>() : rate + row;
  const void *weights = nullptr, *biases = nullptr;
  NABLA_TRY(widened(call.in(1), of_weight, weights));
  NABLA_TRY(widened(call.in(2), of_bias, biases));
  const char *weight = static_cast<const char*>(weights), *bias = static_cast<const char*>(biases);
  const auto& leaves = kernels().batch_norm;
  const int wide = type == DType::F64;
  const Source source(x.data, x.dtype, type);
  const Sink sink(y.data, y.dtype);
  const auto scale = [&](const Part& part, const Elements& from, bool far) {
    Scratch tile(call.workspace);
    int64_t step = part.step;
    char* to = sink.open(tile, part.start, part.images, part.run(), step);
    if (!to) return;
    const int64_t at = part.first * size;
    leaves.scale[wide](from.block, to, from.data, mean + at, rate + at, bias + at);
    if (far) leaves.scale_far[wide](from.block, to, from.data, mean + at, rate + at, bias + at);
    sink.close(to, part.start, part.images, part.run(), part.step);
  };
  const auto pass = [&](const Part& part, bool statistics, bool elements, bool far) {
    Scratch tile(call.workspace);
    const Elements from(source, tile, part);
    if (!from.data) return;
    const int64_t at = part.first * size;
    if (statistics) {
      leaves.moments[wide](from.block, mean + at, mean + row + at, mean + 2 * row + at, from.data, call.attrs[0]);
      leaves.weigh[wide](from.block, rate + at, mean + 2 * row + at, weight + at);
    }
    if (elements) scale(part, from, far);
  };
  if (given) {
    leaves.rates[wide]({1, x.dims[1], 1, 0, x.dims[1]}, rate, mean + row, weight, call.attrs[0]);
    over_planes(x, [&](const Part& part) { pass(part, false, true, false); });
  } else {
    by_moments(x, [&](const Part& part, bool statistics, bool elements) { pass(part, statistics, elements, false); });
  }
  NABLA_TRY(source.status());
  if_far(x, mean, [&](const Part& part) { pass(part, false, true, true); });
  NABLA_TRY(source.status());
  return sink.status();
}

Status run_batch_norm_backward(const Call& call) {
  if (call.n_out != 3 || call.n_in != 4 || call.n_attr != 1) return fail(Code::NATIVE, kOperands);
  const View &dx = call.out(0), &dw = call.out(1), &db = call.out(2);
  const View &g = call.in(0), &x = call.in(1), &moments = call.in(3);
  const DType type = computed(x.dtype);
  if (!is_float(type)) return fail(Code::DTYPE, "the op is not defined for this dtype");
  if (!rows_alike(x, g) || x.scalar || x.rank < 2 || !rows_alike(dx, x) || !by_channel(call.in(2), x) ||
      !by_channel(dw, x) || !by_channel(db, x) || !by_channels(moments, x, kOwn))
    return fail(Code::SHAPE, kOperands);
  const int64_t channels = x.dims[1], size = static_cast<int64_t>(size_of(type)), row = channels * size;
  if (x.numel() == 0) {
    for (const View* v : {&dw, &db}) std::memset(v->data, 0, static_cast<size_t>(channels) * size_of(v->dtype));
    return {};
  }
  Scratch of_weight(call.workspace), of_sums[] = {Scratch(call.workspace), Scratch(call.workspace)};
  const void* weights = nullptr;
  NABLA_TRY(widened(call.in(2), of_weight, weights));
  const char* weight = static_cast<const char*>(weights);
  const Sink by_weight(dw.data, dw.dtype), by_bias(db.data, db.dtype), sink(dx.data, dx.dtype);
  char* along = by_weight.open(of_sums[0], 0, channels);
  char* level = by_bias.open(of_sums[1], 0, channels);
  if (!along || !level) return out_of_memory();
  const char *mean = moments.as<char>(), *rate = mean + 2 * row;
  const auto& leaves = kernels().batch_norm;
  const int wide = type == DType::F64;
  const double count = static_cast<double>(x.numel() / channels);
  const Source slopes(g.data, g.dtype, type), source(x.data, x.dtype, type);
  const auto pass = [&](const Part& part, bool statistics, bool elements, bool far) {
    Scratch of_g(call.workspace), of_x(call.workspace), written(call.workspace);
    const Elements by_y(slopes, of_g, part), from(source, of_x, part);
    if (!by_y.data || !from.data) return;
    const ChannelBlock& block = from.block;
    const int64_t at = part.first * size;
    if (statistics) leaves.sums[wide](block, along + at, level + at, by_y.data, from.data, mean + at, rate + at);
    if (!elements) return;
    int64_t step = part.step;
    char* to = sink.open(written, part.start, part.images, part.run(), step);
    if (!to) return;
    for (const auto& leaf : {leaves.slopes[wide], far ? leaves.slopes_far[wide] : nullptr})
      if (leaf) leaf(block, to, by_y.data, from.data, mean + at, rate + at, weight + at, along + at, level + at, count);
    sink.close(to, part.start, part.images, part.run(), part.step);
  };
  by_moments(x, [&](const Part& part, bool statistics, bool elements) { pass(part, statistics, elements, false); });
  if_far(x, mean, [&](const Part& part) { pass(part, false, true, true); });
  by_weight.close(along, 0, channels);
  by_bias.close(level, 0, channels);
  NABLA_TRY(slopes.status());
  NABLA_TRY(source.status());
  return sink.status();
}

}  // namespace nabla
