// Included once per ISA: see batch-norm.h. Strided channels (size 1) are processed as lanes, others one by one. Sums
// run in T over blocks of about a thousand elements, and in double across blocks.
#pragma once
#include <type_traits>

#include "kernels/batch-norm.h"
#include "kernels/rows-inl.h"

namespace nabla::NABLA_ISA {
namespace {

constexpr int64_t kChannelBlock = 1024;  // elements of a channel
constexpr int64_t kColumnBlock = 128;  // rows, where channels are lanes
constexpr int64_t kColumnsTogether = 128;  // channels as lanes whose sums wait in L1

// Mean and sum of squares about it, block by block (Chan, Golub and LeVeque, 1983).
struct RunningMoments {
  double count = 0, mean = 0, squares = 0;

  // n numbers relative to a centre, which is their mean up to rounding: sums of the differences and their
  // squares.
  void add(double n, double centre, double distance, double square) {
    const double total = count + n, step = centre + distance / n - mean;
    mean += step * (n / total);
    squares += square - distance * (distance / n) + step * step * (count * (n / total));
    count = total;
  }
};

// f(offset, pieces, length): pieces of a channel, one image apart, that are summed as one block.
template <class F>
NABLA_INLINE void each_piece(const ChannelBlock& b, F&& f) {
  const int64_t step = b.channels * b.size;
  if (b.size >= kChannelBlock) {
    for (int64_t i = 0; i < b.images; i++) {
      for (int64_t from = 0; from < b.size; from += kChannelBlock)
        f(i * step + from, 1, b.size - from < kChannelBlock ? b.size - from : kChannelBlock);
    }
    return;
  }
  const int64_t images = kChannelBlock / b.size;
  for (int64_t i = 0; i < b.images; i += images) f(i * step, b.images - i < images ? b.images - i : images, b.size);
}

// K sums over `rows` rows for each of `columns` columns: add(sums, row, column, count). Reads a few rows at a time in
// runs as long as the columns, while the sums stay in L1: rows may be aligned so that the elements of one column evict
// each other from the cache.
template <class T, int K, class F>
NABLA_INLINE void column_sums(T (*total)[kColumnsTogether], int64_t rows, int64_t columns, F&& add) {
  using V = Vec<T>;
  constexpr int kRows = 8;
  const auto continue_over = [&](int64_t first, auto count_of_rows) {
    each_vector<T>(columns, [&](int64_t c, int count) {
      V sums[K];
#pragma GCC unroll 8
      for (int k = 0; k < K; k++) sums[k] = first == 0 ? V::set1(0) : load_first(total[k] + c, count);
#pragma GCC unroll 8
      for (int r = 0; r < decltype(count_of_rows)::value; r++) add(sums, first + r, c, count);
#pragma GCC unroll 8
      for (int k = 0; k < K; k++) V::store_n(total[k] + c, sums[k], count);
    });
  };
  int64_t r = 0;
  for (; r + kRows <= rows; r += kRows) continue_over(r, std::integral_constant<int, kRows>());
  for (; r < rows; r++) continue_over(r, std::integral_constant<int, 1>());
}

// f(first channel, channels), as many as are summed together.
template <class F>
NABLA_INLINE void each_columns(const ChannelBlock& b, F&& f) {
  for (int64_t c = b.first; c < b.last; c += kColumnsTogether)
    f(c, b.last - c < kColumnsTogether ? b.last - c : kColumnsTogether);
}

template <class T>
NABLA_INLINE void block_moments(const ChannelBlock& b, void* means, void* variances, const void* in) {
  using V = Vec<T>;
  T *mean = static_cast<T*>(means), *variance = static_cast<T*>(variances);
  const double size = static_cast<double>(b.images * b.size);
  if (b.size == 1) {
    each_columns(b, [&](int64_t first, int64_t columns) {
      RunningMoments all[kColumnsTogether];
      for (int64_t row = 0; row < b.images; row += kColumnBlock) {
        const int64_t left = b.images - row, rows = left < kColumnBlock ? left : kColumnBlock;
        const T* x = static_cast<const T*>(in) + row * b.channels + first;
        T sum[1][kColumnsTogether], apart[2][kColumnsTogether], centre[kColumnsTogether];
        column_sums<T, 1>(sum, rows, columns, [&](V* s, int64_t r, int64_t c, int count) {
          s[0] = s[0] + load_first(x + r * b.channels + c, count);
        });
        const double n = static_cast<double>(rows);
        for (int64_t c = 0; c < columns; c++) centre[c] = static_cast<T>(sum[0][c] / n);
        column_sums<T, 2>(apart, rows, columns, [&](V* s, int64_t r, int64_t c, int count) {
          const V d = load_first(x + r * b.channels + c, count) - load_first(centre + c, count);
          s[0] = s[0] + d;
          s[1] = fma(d, d, s[1]);
        });
        for (int64_t c = 0; c < columns; c++) all[c].add(n, centre[c], apart[0][c], apart[1][c]);
      }
      for (int64_t c = 0; c < columns; c++) {
        mean[first + c] = static_cast<T>(all[c].mean);
        variance[first + c] = static_cast<T>(all[c].squares / size);
      }
    });
    return;
  }
  for (int64_t c = b.first; c < b.last; c++) {
    RunningMoments all;
    each_piece(b, [&](int64_t at, int64_t pieces, int64_t length) {
      const T* x = static_cast<const T*>(in) + c * b.size + at;
      const double n = static_cast<double>(pieces * length);
      T sum, apart[2];
      piece_sums<T, 1>(&sum, pieces, length, b.channels * b.size,
                       [&](V* s, int64_t i, int count) { s[0] = s[0] + load_first(x + i, count); });
      const T centre = static_cast<T>(sum / n);
      piece_sums<T, 2>(apart, pieces, length, b.channels * b.size, [&](V* s, int64_t i, int count) {
        const V d = first_lanes<T>(load_first(x + i, count) - V::set1(centre), count);
        s[0] = s[0] + d;
        s[1] = fma(d, d, s[1]);
      });
      all.add(n, centre, apart[0], apart[1]);
    });
    mean[c] = static_cast<T>(all.mean);
    variance[c] = static_cast<T>(all.squares / size);
  }
}

// f(own(channel, lanes), offset, count) over all elements of the block; `lanes` is 0 where one channel fills them all.
template <class T, class Own, class F>
NABLA_INLINE void each_element(const ChannelBlock& b, Own&& own, F&& f) {
  for (int64_t image = 0; image < b.images; image++) {
    if (b.size == 1) {
      each_vector<T>(b.last - b.first, [&](int64_t c, int count) {
        f(own(b.first + c, count), image * b.channels + b.first + c, count);
      });
      continue;
    }
    for (int64_t c = b.first; c < b.last; c++) {
      const auto values = own(c, 0);
      const int64_t at = (image * b.channels + c) * b.size;
      each_vector<T>(b.size, [&](int64_t i, int count) { f(values, at + i, count); });
    }
  }
}

// The values of `count` channels, or of one for all lanes where count is 0.
template <class T>
NABLA_INLINE Vec<T> of_channel(const void* values, int64_t c, int count) {
  const T* v = static_cast<const T*>(values) + c;
  return count == 0 ? Vec<T>::set1(*v) : load_first(v, count);
}

template <class T>
void channel_rates(const ChannelBlock& b, void* rate, const void* variance, const void* weight, double eps) {
  using V = Vec<T>;
  each_vector<T>(b.last - b.first, [&](int64_t i, int count) {
    const int64_t c = b.first + i;
    const V one = V::set1(1), e = V::set1(static_cast<T>(eps));
    const V r = one / sqrt(load_first(static_cast<const T*>(variance) + c, count) + e);
    V::store_n(static_cast<T*>(rate) + c, weight ? r * load_first(static_cast<const T*>(weight) + c, count) : r, count);
  });
}

// f(offset), of each element of a channel.
template <class F>
NABLA_INLINE void each_of_channel(const ChannelBlock& b, int64_t c, F&& f) {
  for (int64_t image = 0; image < b.images; image++)
    for (int64_t i = 0; i < b.size; i++) f((image * b.channels + c) * b.size + i);
}

// Calls f(channel) for those among the block's that are far.
template <class T, class F>
NABLA_INLINE void each_far(const ChannelBlock& b, const T* mean, F&& f) {
  for (int64_t c = b.first; c < b.last; c++)
    if (__builtin_expect(is_far(mean[c]), 0)) f(c);
}

// (x - mean) * rate in double.
template <class T>
double standard_in_double(T x, T mean, T rate) {
  return (x * 0.5 - mean * 0.5) * (rate * 2.0);
}

// A channel whose squares overflow or underflow T.
template <class T>
void scaled_channel(const ChannelBlock& b, int64_t c, T* mean, T* variance, T* rate, const T* x, double eps) {
  const ScaledMoments m(b.images * b.size, eps, true,
                        [=](int64_t i) -> double { return x[(i / b.size * b.channels + c) * b.size + i % b.size]; });
  mean[c] = static_cast<T>(m.mean / m.unit);
  variance[c] = static_cast<T>(m.square / m.unit / m.unit);
  rate[c] = static_cast<T>(m.rate * m.unit);
}

template <class T>
void channel_moments(const ChannelBlock& b, void* mean, void* variance, void* rate, const void* in, double eps) {
  block_moments<T>(b, mean, variance, in);
  channel_rates<T>(b, rate, variance, nullptr, eps);
  for (int64_t c = b.first; c < b.last; c++) {
    if (!squares_fit(static_cast<T*>(variance)[c] + static_cast<T>(eps)))
      scaled_channel<T>(b, c, static_cast<T*>(mean), static_cast<T*>(variance), static_cast<T*>(rate),
                        static_cast<const T*>(in), eps);
  }
}

template <class T>
void channel_weigh(const ChannelBlock& b, void* weighed, const void* rate, const void* weight) {
  each_vector<T>(b.last - b.first, [&](int64_t i, int count) {
    const int64_t c = b.first + i;
    Vec<T>::store_n(
        static_cast<T*>(weighed) + c,
        load_first(static_cast<const T*>(rate) + c, count) * load_first(static_cast<const T*>(weight) + c, count),
        count);
  });
}

template <class T>
void channel_scale(const ChannelBlock& b, void* out, const void* in, const void* mean, const void* rate,
                   const void* bias) {
  using V = Vec<T>;
  struct Values {
    V mean, rate, bias;
  };
  const T* x = static_cast<const T*>(in);
  T* y = static_cast<T*>(out);
  each_element<T>(
      b,
      [&](int64_t c, int count) {
        return Values{of_channel<T>(mean, c, count), of_channel<T>(rate, c, count), of_channel<T>(bias, c, count)};
      },
      [&](const Values& v, int64_t i, int count) {
        V::store_n(y + i, fma(load_first(x + i, count) - v.mean, v.rate, v.bias), count);
      });
}

template <class T>
void channel_scale_far(const ChannelBlock& b, void* out, const void* in, const void* mean, const void* rate,
                       const void* bias) {
  const T *x = static_cast<const T*>(in), *means = static_cast<const T*>(mean), *rates = static_cast<const T*>(rate),
          *biases = static_cast<const T*>(bias);
  T* y = static_cast<T*>(out);
  each_far(b, means, [&](int64_t c) {
    each_of_channel(
        b, c, [&](int64_t i) { y[i] = static_cast<T>(standard_in_double(x[i], means[c], rates[c]) + biases[c]); });
  });
}

template <class T>
void channel_sums(const ChannelBlock& b, void* by_weight, void* by_bias, const void* gradient, const void* in,
                  const void* mean, const void* rate) {
  using V = Vec<T>;
  const T *g = static_cast<const T*>(gradient), *x = static_cast<const T*>(in);
  T *dw = static_cast<T*>(by_weight), *db = static_cast<T*>(by_bias);
  // At first dw holds sums of g * (x - mean).
  if (b.size == 1) {
    each_columns(b, [&](int64_t first, int64_t columns) {
      double level[kColumnsTogether] = {}, along[kColumnsTogether] = {};
      for (int64_t row = 0; row < b.images; row += kColumnBlock) {
        const int64_t left = b.images - row, rows = left < kColumnBlock ? left : kColumnBlock;
        T sums[2][kColumnsTogether];
        column_sums<T, 2>(sums, rows, columns, [&](V* s, int64_t r, int64_t c, int count) {
          const int64_t at = (row + r) * b.channels + first + c;
          const V gi = load_first(g + at, count);
          s[0] = s[0] + gi;
          s[1] = fma(gi, load_first(x + at, count) - of_channel<T>(mean, first + c, count), s[1]);
        });
        for (int64_t c = 0; c < columns; c++) {
          level[c] += sums[0][c];
          along[c] += sums[1][c];
        }
      }
      for (int64_t c = 0; c < columns; c++) {
        db[first + c] = static_cast<T>(level[c]);
        dw[first + c] = static_cast<T>(along[c]);
      }
    });
  } else {
    for (int64_t c = b.first; c < b.last; c++) {
      const V centre = of_channel<T>(mean, c, 0);
      double level = 0, along = 0;
      each_piece(b, [&](int64_t at, int64_t pieces, int64_t length) {
        const int64_t from = c * b.size + at;
        T sums[2];
        piece_sums<T, 2>(sums, pieces, length, b.channels * b.size, [&](V* s, int64_t i, int count) {
          const V gi = load_first(g + from + i, count);
          s[0] = s[0] + gi;
          s[1] = fma(gi, load_first(x + from + i, count) - centre, s[1]);
        });
        level += sums[0];
        along += sums[1];
      });
      db[c] = static_cast<T>(level);
      dw[c] = static_cast<T>(along);
    }
  }
  each_vector<T>(b.last - b.first, [&](int64_t i, int count) {
    const V r = load_first(static_cast<const T*>(rate) + b.first + i, count);
    V::store_n(dw + b.first + i, load_first(dw + b.first + i, count) * r, count);
  });
  const T *means = static_cast<const T*>(mean), *rates = static_cast<const T*>(rate);
  for (int64_t c = b.first; c < b.last; c++) {
    if (__builtin_expect(rates[c] > 1 / kFarMean<T>, 1) && !is_far(means[c])) continue;
    double along = 0;
    each_of_channel(b, c, [&](int64_t i) { along += g[i] * standard_in_double(x[i], means[c], rates[c]); });
    dw[c] = static_cast<T>(along);
  }
}

template <class T>
void channel_slopes(const ChannelBlock& b, void* out, const void* gradient, const void* in, const void* mean,
                    const void* rate, const void* weight, const void* by_weight, const void* by_bias, double size) {
  using V = Vec<T>;
  const T *g = static_cast<const T*>(gradient), *x = static_cast<const T*>(in);
  T* dx = static_cast<T*>(out);
  struct Values {
    V mean, scale, level, along;
  };
  const V share = V::set1(static_cast<T>(1 / size));
  each_element<T>(
      b,
      [&](int64_t c, int count) {
        const V r = of_channel<T>(rate, c, count);
        return Values{of_channel<T>(mean, c, count), r * of_channel<T>(weight, c, count),
                      of_channel<T>(by_bias, c, count) * share, of_channel<T>(by_weight, c, count) * share * r};
      },
      [&](const Values& v, int64_t i, int count) {
        const V centred = load_first(x + i, count) - v.mean;
        V::store_n(dx + i, fnma(centred, v.along, load_first(g + i, count) - v.level) * v.scale, count);
      });
}

template <class T>
void channel_slopes_far(const ChannelBlock& b, void* out, const void* gradient, const void* in, const void* mean,
                        const void* rate, const void* weight, const void* by_weight, const void* by_bias, double size) {
  const T *g = static_cast<const T*>(gradient), *x = static_cast<const T*>(in), *means = static_cast<const T*>(mean),
          *rates = static_cast<const T*>(rate), *w = static_cast<const T*>(weight);
  T* dx = static_cast<T*>(out);
  each_far(b, means, [&](int64_t c) {
    const double level = static_cast<const T*>(by_bias)[c] / size, along = static_cast<const T*>(by_weight)[c] / size;
    each_of_channel(b, c, [&](int64_t i) {
      const double slope = g[i] - level - standard_in_double(x[i], means[c], rates[c]) * along;
      dx[i] = static_cast<T>(slope * rates[c] * w[c]);
    });
  });
}

constexpr BatchNormTable make_batch_norm_table() {
  return {
      {channel_moments<float>, channel_moments<double>},     {channel_rates<float>, channel_rates<double>},
      {channel_weigh<float>, channel_weigh<double>},         {channel_scale<float>, channel_scale<double>},
      {channel_scale_far<float>, channel_scale_far<double>}, {channel_sums<float>, channel_sums<double>},
      {channel_slopes<float>, channel_slopes<double>},       {channel_slopes_far<float>, channel_slopes_far<double>}};
}

}  // namespace
}  // namespace nabla::NABLA_ISA
