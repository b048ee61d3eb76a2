// Included once per ISA: see windows.h.
#pragma once
#include <cstdint>

#include "kernels/windows.h"

namespace nabla::NABLA_ISA {
namespace {

template <class T>
void window_copy(T* to, const T* line, int64_t size, int64_t start, int64_t step, int64_t count) {
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
    i = last;
  } else {
    for (; i < last; i++) to[i] = from[i * step];
  }
  for (; i < count; i++) to[i] = 0;
}

template <class V, class T>
inline void window_move(T* to, const T* from, int64_t count) {
  for (; count >= V::kLanes; count -= V::kLanes, to += V::kLanes, from += V::kLanes) V::store(to, V::load(from));
  if (count > 0) V::store(to, V::load_n(from, static_cast<int>(count)));
}

// Rows are filled from the first on: what one spills over, the next overwrites.
template <class T>
void window_gather(T* panels, int64_t width, int64_t panel, const WindowView<T>& w) {
  using V = Vec<T>;
  constexpr int64_t kColumns = 2 * V::kLanes;
  WindowRun part[kMaxWindowRuns];
  const WindowRun* run = w.runs;
  const WindowRun* const end = w.runs + w.n_runs;
  for (int64_t low = 0; run < end; low += width, panels += panel) {
    int parts = 0;
    for (; run < end && run->start < low + width; run++) {
      const int64_t from = run->start < low ? low : run->start;
      const int64_t stop = run->start + run->count, to = stop < low + width ? stop : low + width;
      part[parts++] = {run->at + from - run->start, static_cast<int32_t>(from - low), static_cast<int32_t>(to - from)};
      if (stop > low + width) break;
    }
    T* to = panels;
    if (parts == 1 && part[0].count == kColumns) {
      const T* from = w.source + part[0].at;
      for (int64_t t = 0; t < w.n_taps; t++, to += width) {
        const T* p = from + w.taps[t];
        const V a = V::load(p), b = V::load(p + V::kLanes);
        V::store(to, a);
        V::store(to + V::kLanes, b);
      }
    } else {
      for (int64_t t = 0; t < w.n_taps; t++, to += width) {
        const T* from = w.source + w.taps[t];
        for (int r = 0; r < parts; r++) window_move<V>(to + part[r].start, from + part[r].at, part[r].count);
      }
    }
  }
}

template <class T, int VECTORS>
inline void window_weigh_vectors(T* out, const T* from, const T* weights, const WindowView<T>& w, bool accumulate,
                                 int lanes) {
  using V = Vec<T>;
  V sum[VECTORS];
#pragma GCC unroll 8
  for (int v = 0; v < VECTORS; v++) sum[v] = V::set1(0);
  const bool whole = lanes == V::kLanes;
  for (int64_t t = 0; t < w.n_taps; t++) {
    const T* p = from + w.taps[t];
    const V weight = V::set1(weights[t]);
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; v++)
      sum[v] = fma(weight, whole ? V::load(p + v * V::kLanes) : V::load_n(p, lanes), sum[v]);
  }
#pragma GCC unroll 8
  for (int v = 0; v < VECTORS; v++) {
    T* to = out + v * V::kLanes;
    if (accumulate) sum[v] = (whole ? V::load(to) : V::load_n(to, lanes)) + sum[v];
    if (whole)
      V::store(to, sum[v]);
    else
      V::store_n(to, sum[v], lanes);
  }
}

template <class T>
void window_weigh(T* out, const T* weights, bool accumulate, const WindowView<T>& w) {
  constexpr int64_t kLanes = Vec<T>::kLanes;
  for (int64_t r = 0; r < w.n_runs; r++) {
    const WindowRun& run = w.runs[r];
    T* to = out + run.start;
    const T* from = w.source + run.at;
    int64_t i = 0;
    for (; i + 4 * kLanes <= run.count; i += 4 * kLanes)
      window_weigh_vectors<T, 4>(to + i, from + i, weights, w, accumulate, kLanes);
    for (; i + kLanes <= run.count; i += kLanes)
      window_weigh_vectors<T, 1>(to + i, from + i, weights, w, accumulate, kLanes);
    if (i < run.count)
      window_weigh_vectors<T, 1>(to + i, from + i, weights, w, accumulate, static_cast<int>(run.count - i));
  }
}

// Sums run over as many virtual lanes on every ISA, so that all give the same bits; every run starts at the first.
constexpr int kWindowLanes = 16;

template <class T, int TAPS>
void window_dot_taps(T* sums, const T* values, const int64_t* taps, bool accumulate, const WindowView<T>& w) {
  using V = Vec<T>;
  constexpr int kParts = kWindowLanes / V::kLanes;
  V sum[TAPS][kParts];
  for (int t = 0; t < TAPS; t++)
    for (int p = 0; p < kParts; p++) sum[t][p] = V::set1(0);
  for (int64_t r = 0; r < w.n_runs; r++) {
    const T* value = values + w.runs[r].start;
    const T* from = w.source + w.runs[r].at;
    const int64_t count = w.runs[r].count;
    int64_t i = 0;
    for (; i + kWindowLanes <= count; i += kWindowLanes) {
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
    T lanes[kWindowLanes];
    for (int p = 0; p < kParts; p++) V::store(lanes + p * V::kLanes, sum[t][p]);
    for (int width = kWindowLanes / 2; width > 0; width /= 2)
      for (int l = 0; l < width; l++) lanes[l] += lanes[l + width];
    sums[t] = accumulate ? sums[t] + lanes[0] : lanes[0];
  }
}

template <class T>
void window_dot(T* sums, const T* values, bool accumulate, const WindowView<T>& w) {
  int64_t t = 0;
  for (; t + 3 <= w.n_taps; t += 3) window_dot_taps<T, 3>(sums + t, values, w.taps + t, accumulate, w);
  for (; t < w.n_taps; t++) window_dot_taps<T, 1>(sums + t, values, w.taps + t, accumulate, w);
}

template <class T>
constexpr WindowKernels<T> make_window_kernels() {
  return {window_copy<T>, window_gather<T>, window_weigh<T>, window_dot<T>};
}

constexpr WindowTable make_window_table() { return {make_window_kernels<float>(), make_window_kernels<double>()}; }

}  // namespace
}  // namespace nabla::NABLA_ISA
