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
// Rows of one value for each channel.
bool by_channels(const View& v, const View& x, int64_t rows) {
  return !v.scalar && v.rank == 2 && v.dims[0] == rows && v.dims[1] == x.dims[1] && v.dtype == x.dtype &&
         v.contiguous();
}

// f(channels of one task), of x [n, channels, ..].
template <class F>
void over_channels(const View& x, F&& f) {
  const int64_t channels = x.dims[1], of_channel = x.numel() / channels;
  int64_t per_task = kRowsChunk / of_channel + 1;
  const int64_t size = of_channel / x.dims[0];
  if (size == 1) per_task = (per_task + kTogether - 1) / kTogether * kTogether;
  parallel_for((channels + per_task - 1) / per_task, [&](int64_t task) {
    const int64_t first = task * per_task, last = first + per_task < channels ? first + per_task : channels;
    f(ChannelBlock{x.dims[0], channels, size, first, last});
  });
}

// f(channels of one image, where that begins in bytes), cut without regard to images.
template <class F>
void over_planes(const View& x, F&& f) {
  const int64_t images = x.dims[0], channels = x.dims[1], size = x.numel() / (images * channels);
  const int64_t planes = images * channels, per_task = kRowsChunk / size + 1;
  parallel_for((planes + per_task - 1) / per_task, [&](int64_t task) {
    const int64_t end = (task + 1) * per_task < planes ? (task + 1) * per_task : planes;
    for (int64_t plane = task * per_task, next; plane < end; plane = next) {
      const int64_t image = plane / channels, first = plane % channels;
      next = (image + 1) * channels < end ? (image + 1) * channels : end;
      f(ChannelBlock{1, channels, size, first, first + next - plane},
        image * channels * size * static_cast<int64_t>(size_of(x.dtype)));
    }
  });
}

// First the statistics of a channel, then the elementwise pass: immediately, while the channel is in the cache, or, if
// channels are columns, in memory order.
template <class Sums, class Each>
void by_moments(const View& x, Sums&& sums, Each&& each) {
  const bool columns = x.numel() == x.dims[0] * x.dims[1];
  over_channels(x, [&](const ChannelBlock& block) {
    sums(block);
    if (!columns) each(block, 0);
  });
  if (columns) over_planes(x, each);
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
  const View &y = call.out(), &x = call.in(0), &weight = call.in(1), &bias = call.in(2);
  if (!is_float(y.dtype)) return fail(Code::DTYPE, "the op is not defined for this dtype");
  const bool given = call.n_in > 3, wanted = call.n_out > 1;
  if (!rows_alike(y, x) || x.rank < 2 || !by_channel(weight, x) || !by_channel(bias, x) ||
      (given && !by_channels(call.in(3), x, 2)) || (wanted && !by_channels(call.out(1), x, kOwn)))
    return fail(Code::SHAPE, kOperands);
  const int64_t row = x.dims[1] * static_cast<int64_t>(size_of(x.dtype));
  if (x.numel() == 0) {
    if (wanted) std::memset(call.out(1).data, 0, static_cast<size_t>(kOwn * row));
    return {};
  }
  Scratch memory(call.workspace);
  char* rate = memory.get<char>((1 + kOwn) * row);
  if (!rate) return out_of_memory();
  char* mean = given ? call.in(3).as<char>() : wanted ? call.out(1).as<char>() : rate + row;
  const auto& leaves = kernels().batch_norm;
  const int wide = x.dtype == DType::F64;
  const auto scale = [&](const ChannelBlock& block, int64_t at) {
    leaves.scale[wide](block, y.as<char>() + at, x.as<char>() + at, mean, rate, bias.data);
  };
  const auto scale_far = [&](const ChannelBlock& block) {
    leaves.scale_far[wide](block, y.data, x.data, mean, rate, bias.data);
  };
  if (given) {
    leaves.rates[wide]({1, x.dims[1], 1, 0, x.dims[1]}, rate, mean + row, weight.data, call.attrs[0]);
    over_planes(x, scale);
    if_far(x, mean, scale_far);
    return {};
  }
  by_moments(
      x,
      [&](const ChannelBlock& block) {
        leaves.moments[wide](block, mean, mean + row, mean + 2 * row, x.data, call.attrs[0]);
        leaves.weigh[wide](block, rate, mean + 2 * row, weight.data);
      },
      scale);
  if_far(x, mean, scale_far);
  return {};
}

Status run_batch_norm_backward(const Call& call) {
  if (call.n_out != 3 || call.n_in != 4 || call.n_attr != 1) return fail(Code::NATIVE, kOperands);
  const View &dx = call.out(0), &dw = call.out(1), &db = call.out(2);
  const View &g = call.in(0), &x = call.in(1), &weight = call.in(2), &moments = call.in(3);
  if (!is_float(x.dtype)) return fail(Code::DTYPE, "the op is not defined for this dtype");
  if (!rows_alike(x, g) || x.scalar || x.rank < 2 || !rows_alike(dx, x) || !by_channel(weight, x) ||
      !by_channel(dw, x) || !by_channel(db, x) || !by_channels(moments, x, kOwn))
    return fail(Code::SHAPE, kOperands);
  const int64_t row = x.dims[1] * static_cast<int64_t>(size_of(x.dtype));
  if (x.numel() == 0) {
    std::memset(dw.data, 0, static_cast<size_t>(row));
    std::memset(db.data, 0, static_cast<size_t>(row));
    return {};
  }
  const char* rate = moments.as<char>() + 2 * row;
  const auto& leaves = kernels().batch_norm;
  const int wide = x.dtype == DType::F64;
  const double size = static_cast<double>(x.numel() / x.dims[1]);
  by_moments(
      x,
      [&](const ChannelBlock& block) {
        leaves.sums[wide](block, dw.data, db.data, g.data, x.data, moments.data, rate);
      },
      [&](const ChannelBlock& block, int64_t at) {
        leaves.slopes[wide](block, dx.as<char>() + at, g.as<char>() + at, x.as<char>() + at, moments.data, rate,
                            weight.data, dw.data, db.data, size);
      });
  if_far(x, moments.data, [&](const ChannelBlock& block) {
    leaves.slopes_far[wide](block, dx.data, g.data, x.data, moments.data, rate, weight.data, dw.data, db.data, size);
  });
  return {};
}

}  // namespace nabla
