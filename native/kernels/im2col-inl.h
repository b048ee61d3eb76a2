// Included once per ISA: see im2col.h.
#pragma once
#include <cstdint>

#include "kernels/im2col.h"
#include "kernels/rows-inl.h"

namespace nabla::NABLA_ISA {
namespace {

template <class T>
inline void im2col_every_second(T* __restrict to, const T* __restrict from, int64_t count) {
  for (int64_t i = 0; i < count; i++) to[i] = from[2 * i];
}

template <class T>
void im2col_copy(T* to, const T* line, int64_t size, int64_t start, int64_t step, int64_t count) {
  using V = Vec<T>;
  const int64_t behind = start < size ? (size - start + step - 1) / step : 0;
  int64_t first = start < 0 ? (step - 1 - start) / step : 0, last = behind < count ? behind : count;
  if (first > count) first = count;
  if (last < first) last = first;
  int64_t i = 0;
  for (; i < first; i++) to[i] = 0;
  const T* from = line + start;
  if (step == 1) {
    for (; i + V::kLanes <= last; i += V::kLanes) V::store(to + i, V::load(from + i));
    if (i < last) V::store_n(to + i, V::load_n(from + i, static_cast<int>(last - i)), static_cast<int>(last - i));
  } else if (step == 2) {
    im2col_every_second(to + i, from + 2 * i, last - i);
  } else {
    for (; i < last; i++) to[i] = from[i * step];
  }
  for (i = last; i < count; i++) to[i] = 0;
}

// The whole vectors that make up one row of a panel, in ascending order of their targets: the excess of one is
// overwritten by the next, and by the next row.
template <class T>
struct Im2colMoves {
  int count = 0;
  int64_t from[kMaxIm2colRuns];
  int32_t to[kMaxIm2colRuns];
};

template <class T, int MOVES>
void im2col_move_rows(T* to, int64_t width, const Im2colMoves<T>& moves, const Im2colView<T>& w) {
  using V = Vec<T>;
  int64_t from[MOVES], at[MOVES];
  for (int m = 0; m < MOVES; m++) from[m] = moves.from[m], at[m] = moves.to[m];
  for (int64_t t = 0; t < w.n_taps; t++, to += width) {
    const T* p = w.source + w.taps[t];
#pragma GCC unroll 8
    for (int m = 0; m < MOVES; m++) V::store(to + at[m], V::load(p + from[m]));
  }
}

template <class T>
void im2col_move_rows(T* to, int64_t width, const Im2colMoves<T>& moves, const Im2colView<T>& w) {
  using V = Vec<T>;
  switch (moves.count) {
    case 1: return im2col_move_rows<T, 1>(to, width, moves, w);
    case 2: return im2col_move_rows<T, 2>(to, width, moves, w);
    case 3: return im2col_move_rows<T, 3>(to, width, moves, w);
    case 4: return im2col_move_rows<T, 4>(to, width, moves, w);
    default: break;
  }
  for (int64_t t = 0; t < w.n_taps; t++, to += width) {
    const T* p = w.source + w.taps[t];
    for (int m = 0; m < moves.count; m++) V::store(to + moves.to[m], V::load(p + moves.from[m]));
  }
}

// The same without reading past the end of a run.
template <class T>
void im2col_copy_rows(T* to, int64_t width, const Im2colRun* part, int parts, const Im2colView<T>& w) {
  using V = Vec<T>;
  for (int64_t t = 0; t < w.n_taps; t++, to += width) {
    const T* from = w.source + w.taps[t];
    for (int r = 0; r < parts; r++) {
      int64_t i = 0;
      for (; i + V::kLanes <= part[r].count; i += V::kLanes)
        V::store(to + part[r].start + i, V::load(from + part[r].at + i));
      if (i < part[r].count)
        V::store(to + part[r].start + i, V::load_n(from + part[r].at + i, static_cast<int>(part[r].count - i)));
    }
  }
}

template <class T>
void im2col_gather(T* panels, int64_t width, int64_t panel, const Im2colView<T>& w) {
  constexpr int64_t kLanes = Vec<T>::kLanes;
  Im2colRun part[kMaxIm2colRuns];
  Im2colMoves<T> moves;
  const Im2colRun* run = w.runs;
  const Im2colRun* const end = w.runs + w.n_runs;
  for (int64_t low = 0; run < end; low += width, panels += panel) {
    int parts = 0;
    moves.count = 0;
    for (; run < end && run->start < low + width; run++) {
      const int64_t from = run->start < low ? low : run->start;
      const int64_t stop = run->start + run->count, to = stop < low + width ? stop : low + width;
      part[parts++] = {run->at + from - run->start, static_cast<int32_t>(from - low), static_cast<int32_t>(to - from)};
      for (int64_t i = 0; i < to - from; i += kLanes, moves.count++) {
        moves.from[moves.count] = part[parts - 1].at + i;
        moves.to[moves.count] = static_cast<int32_t>(from - low + i);
      }
      if (stop > low + width) break;
    }
    if (w.padded)
      im2col_move_rows(panels, width, moves, w);
    else
      im2col_copy_rows(panels, width, part, parts, w);
  }
}

template <class T>
void col2im(T* target, const T* rows, int64_t width, const Im2colView<T>& w) {
  using V = Vec<T>;
  for (int64_t t = 0; t < w.n_taps; t++, rows += width) {
    for (int64_t r = 0; r < w.n_runs; r++) {
      T* to = target + w.runs[r].at + w.taps[t];
      const T* from = rows + w.runs[r].start;
      const int64_t count = w.runs[r].count;
      int64_t i = 0;
      for (; i + V::kLanes <= count; i += V::kLanes) V::store(to + i, V::load(to + i) + V::load(from + i));
      if (i == count) continue;
      const int lanes = static_cast<int>(count - i);
      V::store_n(to + i, V::load_n(to + i, lanes) + V::load_n(from + i, lanes), lanes);
    }
  }
}

// The last vector has `lanes` positions.
template <class T, int VECTORS>
inline void direct_convolution_vectors(T* out, const T* from, const T* weights, const Im2colView<T>& w, bool accumulate,
                                       int lanes) {
  using V = Vec<T>;
  constexpr int kLast = (VECTORS - 1) * V::kLanes;
  V sum[VECTORS];
#pragma GCC unroll 8
  for (int v = 0; v < VECTORS; v++) sum[v] = V::set1(0);
  for (int64_t t = 0; t < w.n_taps; t++) {
    const T* p = from + w.taps[t];
    const V weight = V::set1(weights[t]);
#pragma GCC unroll 8
    for (int v = 0; v + 1 < VECTORS; v++) sum[v] = fma(weight, V::load(p + v * V::kLanes), sum[v]);
    sum[VECTORS - 1] = fma(weight, V::load_n(p + kLast, lanes), sum[VECTORS - 1]);
  }
#pragma GCC unroll 8
  for (int v = 0; v + 1 < VECTORS; v++) {
    T* to = out + v * V::kLanes;
    V::store(to, accumulate ? V::load(to) + sum[v] : sum[v]);
  }
  const V last = sum[VECTORS - 1];
  V::store_n(out + kLast, accumulate ? V::load_n(out + kLast, lanes) + last : last, lanes);
}

template <class T>
void direct_convolution(T* out, const T* weights, bool accumulate, const Im2colView<T>& w) {
  constexpr int64_t kLanes = Vec<T>::kLanes;
  for (int64_t r = 0; r < w.n_runs; r++) {
    const Im2colRun& run = w.runs[r];
    T* to = out + run.start;
    const T* from = w.source + run.at;
    int64_t left = run.count;
    for (; left > 4 * kLanes; left -= 4 * kLanes, to += 4 * kLanes, from += 4 * kLanes)
      direct_convolution_vectors<T, 4>(to, from, weights, w, accumulate, kLanes);
    const int64_t vectors = (left - 1) / kLanes;
    const int lanes = static_cast<int>(left - vectors * kLanes);
    switch (vectors) {
      case 0: direct_convolution_vectors<T, 1>(to, from, weights, w, accumulate, lanes); break;
      case 1: direct_convolution_vectors<T, 2>(to, from, weights, w, accumulate, lanes); break;
      case 2: direct_convolution_vectors<T, 3>(to, from, weights, w, accumulate, lanes); break;
      default: direct_convolution_vectors<T, 4>(to, from, weights, w, accumulate, lanes); break;
    }
  }
}

// Sums use the same number of virtual lanes on every ISA, so that all give the same bits; every run starts at lane 0.
constexpr int kIm2colLanes = 16;

template <class T, int TAPS>
void im2col_dot_taps(T* sums, const T* values, const int64_t* taps, bool accumulate, const Im2colView<T>& w) {
  using V = Vec<T>;
  constexpr int kParts = kIm2colLanes / V::kLanes;
  V sum[TAPS][kParts];
  for (int t = 0; t < TAPS; t++)
    for (int p = 0; p < kParts; p++) sum[t][p] = V::set1(0);
  for (int64_t r = 0; r < w.n_runs; r++) {
    const T* value = values + w.runs[r].start;
    const T* from = w.source + w.runs[r].at;
    const int64_t count = w.runs[r].count;
    int64_t i = 0;
    for (; i + kIm2colLanes <= count; i += kIm2colLanes) {
#pragma GCC unroll 4
      for (int p = 0; p < kParts; p++) {
        const V v = V::load(value + i + p * V::kLanes);
#pragma GCC unroll 8
        for (int t = 0; t < TAPS; t++) sum[t][p] = fma(v, V::load(from + i + p * V::kLanes + taps[t]), sum[t][p]);
      }
    }
    for (int p = 0; p < kParts && i + p * V::kLanes < count; p++) {
      const int64_t at = i + p * V::kLanes;
      const int lanes = count - at < V::kLanes ? static_cast<int>(count - at) : V::kLanes;
      const V v = V::load_n(value + at, lanes);
      for (int t = 0; t < TAPS; t++) sum[t][p] = fma(v, V::load_n(from + at + taps[t], lanes), sum[t][p]);
    }
  }
  for (int t = 0; t < TAPS; t++) {
    const T total = sum_lanes(sum[t]);
    sums[t] = accumulate ? sums[t] + total : total;
  }
}

template <class T>
void im2col_dot(T* sums, const T* values, bool accumulate, const Im2colView<T>& w) {
  int64_t t = 0;
  for (; t + 3 <= w.n_taps; t += 3) im2col_dot_taps<T, 3>(sums + t, values, w.taps + t, accumulate, w);
  for (; t < w.n_taps; t++) im2col_dot_taps<T, 1>(sums + t, values, w.taps + t, accumulate, w);
}

void largest_in_window(int32_t* out, const float* seen, const int64_t* taps, const int32_t* offsets, int64_t n_taps,
                       int32_t base, int32_t step, int64_t count) {
  using V = Vec<float>;
  using I = Vec<int32_t>;
  int32_t lane[V::kLanes];
  for (int l = 0; l < V::kLanes; l++) lane[l] = l < count ? l * step : 0;
  const I ascending = I::load(lane);
  for (int64_t i = 0; i < count; i += V::kLanes) {
    const int lanes = count - i < V::kLanes ? static_cast<int>(count - i) : V::kLanes;
    V best = V::load_n(seen + i + taps[0], lanes);
    I at = I::set1(offsets[0]);
    for (int64_t t = 1; t < n_taps; t++) {
      const V v = V::load_n(seen + i + taps[t], lanes);
      const Mask<float> better = (v > best) | ((v != v) & (best == best));
      best = select(better, v, best);
      at = select(better, I::set1(offsets[t]), at);
    }
    I::store_n(out + i, at + ascending + I::set1(base + static_cast<int32_t>(i) * step), lanes);
  }
}

template <class T>
constexpr Im2colKernels<T> make_im2col_kernels() {
  return {im2col_copy<T>, im2col_gather<T>, col2im<T>, direct_convolution<T>, im2col_dot<T>};
}

constexpr Im2colTable make_im2col_table() {
  return {make_im2col_kernels<float>(), make_im2col_kernels<double>(), largest_in_window};
}

}  // namespace
}  // namespace nabla::NABLA_ISA
