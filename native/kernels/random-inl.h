// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, 2011) and the distributions made from it.
#pragma once
#include "kernels/math-log-inl.h"
#include "kernels/math-trig-inl.h"
#include "kernels/random.h"

namespace nabla::NABLA_ISA {
namespace {

constexpr int kCounters = 16;             // run side by side, for the compiler to vectorise
constexpr int kWords = 4 * kCounters;     // of 32 bits: what one batch yields
constexpr int kLongWords = kWords / 2;    // of 64 bits

// The words of the counters first, first + 1, ..., in order.
inline void philox(uint32_t* out, uint64_t first, const RandomStream& stream) {
  uint32_t a[kCounters], b[kCounters], c[kCounters], d[kCounters];
  for (int i = 0; i < kCounters; i++) {
    const uint64_t counter = first + static_cast<uint64_t>(i);
    a[i] = static_cast<uint32_t>(counter);
    b[i] = static_cast<uint32_t>(counter >> 32);
    c[i] = static_cast<uint32_t>(stream.stream);
    d[i] = static_cast<uint32_t>(stream.stream >> 32);
  }
  uint32_t key0 = stream.key[0], key1 = stream.key[1];
  for (int round = 0; round < 10; round++) {
    for (int i = 0; i < kCounters; i++) {
      const uint64_t p = uint64_t{0xd2511f53} * a[i], q = uint64_t{0xcd9e8d57} * c[i];
      a[i] = static_cast<uint32_t>(q >> 32) ^ b[i] ^ key0;
      c[i] = static_cast<uint32_t>(p >> 32) ^ d[i] ^ key1;
      b[i] = static_cast<uint32_t>(q);
      d[i] = static_cast<uint32_t>(p);
    }
    key0 += 0x9e3779b9;
    key1 += 0xbb67ae85;
  }
  for (int i = 0; i < kCounters; i++) {
    out[4 * i] = a[i];
    out[4 * i + 1] = b[i];
    out[4 * i + 2] = c[i];
    out[4 * i + 3] = d[i];
  }
}

inline void philox_long(uint64_t* out, uint64_t first, const RandomStream& stream) {
  uint32_t words[kWords];
  philox(words, first, stream);
  for (int i = 0; i < kLongWords; i++) out[i] = words[2 * i] | static_cast<uint64_t>(words[2 * i + 1]) << 32;
}

// Fills [start, start + n) of a stream whose batches of kBatch elements are made whole, from their first counter.
template <class T, int kBatch, class F>
NABLA_INLINE void fill_batches(void* out, int64_t start, int64_t n, F make) {
  T* const y = static_cast<T*>(out);
  const int64_t end = start + n;
  for (int64_t at = start; at < end;) {
    const int64_t batch = at / kBatch, first = batch * kBatch;
    const uint64_t counter = static_cast<uint64_t>(batch) * kCounters;
    if (at == first && first + kBatch <= end) {
      make(y + (at - start), counter);
      at += kBatch;
      continue;
    }
    T part[kBatch];
    make(part, counter);
    for (; at < end && at < first + kBatch; at++) y[at - start] = part[at - first];
  }
}

template <class T>
void random_uniform(void* out, int64_t start, int64_t n, const RandomStream& stream);
template <>
void random_uniform<float>(void* out, int64_t start, int64_t n, const RandomStream& stream) {
  fill_batches<float, kWords>(out, start, n, [&](float* y, uint64_t counter) {
    uint32_t words[kWords];
    philox(words, counter, stream);
    for (int i = 0; i < kWords; i++) y[i] = static_cast<float>(static_cast<int32_t>(words[i] >> 8)) * 0x1p-24f;
  });
}
template <>
void random_uniform<double>(void* out, int64_t start, int64_t n, const RandomStream& stream) {
  fill_batches<double, kLongWords>(out, start, n, [&](double* y, uint64_t counter) {
    uint64_t words[kLongWords];
    philox_long(words, counter, stream);
    for (int i = 0; i < kLongWords; i++) y[i] = static_cast<double>(static_cast<int64_t>(words[i] >> 11)) * 0x1p-53;
  });
}

// Box and Muller: two uniform numbers, the first in (0, 1], the second in turns, give two normal ones.
template <class T, int N>
NABLA_INLINE void box_muller(T* out, const T (&uniform)[N], const T (&turn)[N]) {
  using V = Vec<T>;
  T x[N], y[N];
  for (int i = 0; i < N; i += V::kLanes) {
    const V radius = sqrt(-2 * log(V::load(uniform + i)));
    const V angle = V::load(turn + i) * (2 * kPi<T>[0]);
    V::store(x + i, radius * cos(angle));
    V::store(y + i, radius * sin(angle));
  }
  for (int i = 0; i < N; i++) {
    out[2 * i] = x[i];
    out[2 * i + 1] = y[i];
  }
}

template <class T>
void random_normal(void* out, int64_t start, int64_t n, const RandomStream& stream);
template <>
void random_normal<float>(void* out, int64_t start, int64_t n, const RandomStream& stream) {
  fill_batches<float, kWords>(out, start, n, [&](float* y, uint64_t counter) {
    uint32_t words[kWords];
    philox(words, counter, stream);
    float uniform[kWords / 2], turn[kWords / 2];
    for (int i = 0; i < kWords / 2; i++) {
      uniform[i] = (static_cast<float>(static_cast<int32_t>(words[2 * i] >> 1)) + 0.5f) * 0x1p-31f;
      turn[i] = static_cast<float>(static_cast<int32_t>(words[2 * i + 1])) * 0x1p-32f;
    }
    box_muller(y, uniform, turn);
  });
}
template <>
void random_normal<double>(void* out, int64_t start, int64_t n, const RandomStream& stream) {
  fill_batches<double, kLongWords>(out, start, n, [&](double* y, uint64_t counter) {
    uint64_t words[kLongWords];
    philox_long(words, counter, stream);
    double uniform[kLongWords / 2], turn[kLongWords / 2];
    for (int i = 0; i < kLongWords / 2; i++) {
      uniform[i] = (static_cast<double>(static_cast<int64_t>(words[2 * i] >> 11)) + 0.5) * 0x1p-53;
      turn[i] = static_cast<double>(static_cast<int64_t>(words[2 * i + 1]) >> 11) * 0x1p-53;
    }
    box_muller(y, uniform, turn);
  });
}

// 64 bits an element, whose product with the range is cut to its upper half: the bias is below range / 2^64.
template <class T>
void random_integers(void* out, int64_t start, int64_t n, const RandomStream& stream, int64_t low, uint64_t range) {
  fill_batches<T, kLongWords>(out, start, n, [&](T* y, uint64_t counter) {
    uint64_t words[kLongWords];
    philox_long(words, counter, stream);
    for (int i = 0; i < kLongWords; i++) {
      const uint64_t offset =
          range ? static_cast<uint64_t>(static_cast<unsigned __int128>(words[i]) * range >> 64) : words[i];
      y[i] = static_cast<T>(static_cast<uint64_t>(low) + offset);
    }
  });
}

inline void random_bits(void* out, int64_t start, int64_t n, const RandomStream& stream) {
  fill_batches<uint32_t, kWords>(out, start, n, [&](uint32_t* y, uint64_t counter) { philox(y, counter, stream); });
}

constexpr RandomTable make_random_table() {
  return {{random_uniform<float>, random_uniform<double>},
          {random_normal<float>, random_normal<double>},
          {random_integers<int32_t>, random_integers<int64_t>},
          random_bits};
}

}  // namespace
}  // namespace nabla::NABLA_ISA
