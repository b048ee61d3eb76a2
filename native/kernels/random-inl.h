// Philox4x32-10 (Salmon, Moraes, Dror and Shaw, 2011) and the distributions made from it.
#pragma once
#include "kernels/math-log-inl.h"
#include "kernels/math-trig-inl.h"
#include "kernels/random.h"

namespace nabla::NABLA_ISA {
namespace {

constexpr int kCounters = 16;

// Words 0 to 3 of the counters of one batch.
struct Batch {
  int32_t words[4][kCounters];
};

inline void philox(Batch& batch, uint64_t number, const RandomStream& stream) {
  using V = Vec<int32_t>;
  int32_t low[kCounters], high[kCounters];
  for (int i = 0; i < kCounters; i++) {
    const uint64_t counter = number * kCounters + static_cast<uint64_t>(i);
    low[i] = static_cast<int32_t>(counter);
    high[i] = static_cast<int32_t>(counter >> 32);
  }
  for (int i = 0; i < kCounters; i += V::kLanes) {
    V a = V::load(low + i), b = V::load(high + i);
    V c = static_cast<int32_t>(stream.stream), d = static_cast<int32_t>(stream.stream >> 32);
    uint32_t key0 = stream.key[0], key1 = stream.key[1];
#pragma GCC unroll 10
    for (int round = 0; round < 10; round++) {
      const Product p = multiply_wide(a, 0xd2511f53), q = multiply_wide(c, 0xcd9e8d57);
      a = q.high ^ b ^ static_cast<int32_t>(key0);
      b = q.low;
      c = p.high ^ d ^ static_cast<int32_t>(key1);
      d = p.low;
      key0 += 0x9e3779b9;
      key1 += 0xbb67ae85;
    }
    V::store(batch.words[0] + i, a);
    V::store(batch.words[1] + i, b);
    V::store(batch.words[2] + i, c);
    V::store(batch.words[3] + i, d);
  }
}

inline uint64_t long_word(const Batch& batch, int half, int i) {
  return static_cast<uint32_t>(batch.words[2 * half][i]) |
         static_cast<uint64_t>(static_cast<uint32_t>(batch.words[2 * half + 1][i])) << 32;
}

// Fills [start, start + n) from whole batches of kSize elements, each made by make(T* out, const Batch&).
template <class T, int kSize, class F>
NABLA_INLINE void fill_batches(void* out, int64_t start, int64_t n, const RandomStream& stream, F make) {
  T* const y = static_cast<T*>(out);
  const int64_t end = start + n;
  Batch batch;
  for (int64_t at = start; at < end;) {
    const int64_t number = at / kSize, first = number * kSize;
    philox(batch, static_cast<uint64_t>(number), stream);
    if (at == first && first + kSize <= end) {
      make(y + (at - start), batch);
      at += kSize;
      continue;
    }
    T part[kSize];
    make(part, batch);
    for (; at < end && at < first + kSize; at++) y[at - start] = part[at - first];
  }
}

constexpr int kShort = 4 * kCounters, kLong = 2 * kCounters;  // elements of 32 and of 64 bits in a batch

inline void random_bits(void* out, int64_t start, int64_t n, const RandomStream& stream) {
  fill_batches<uint32_t, kShort>(out, start, n, stream, [](uint32_t* y, const Batch& batch) {
    for (int i = 0; i < kShort; i++) y[i] = static_cast<uint32_t>(batch.words[i / kCounters][i % kCounters]);
  });
}

inline void random_uniform_f32(void* out, int64_t start, int64_t n, const RandomStream& stream) {
  using V = Vec<int32_t>;
  fill_batches<float, kShort>(out, start, n, stream, [](float* y, const Batch& batch) {
    for (int w = 0; w < 4; w++) {
      for (int i = 0; i < kCounters; i += V::kLanes) {
        const V bits = shift_right(V::load(batch.words[w] + i), 8);
        Vec<float>::store(y + w * kCounters + i, to_float(bits) * 0x1p-24f);
      }
    }
  });
}

inline void random_uniform_f64(void* out, int64_t start, int64_t n, const RandomStream& stream) {
  fill_batches<double, kLong>(out, start, n, stream, [](double* y, const Batch& batch) {
    for (int half = 0; half < 2; half++) {
      for (int i = 0; i < kCounters; i++) {
        y[half * kCounters + i] = static_cast<double>(static_cast<int64_t>(long_word(batch, half, i) >> 11)) * 0x1p-53;
      }
    }
  });
}

// Box-Muller: a uniform number in (0, 1] and an angle in turns give two normal numbers.
template <class V>
NABLA_INLINE void box_muller(V uniform, V turn, typename V::Scalar* first, typename V::Scalar* second) {
  const V radius = sqrt(-2 * log(uniform)), angle = turn * (2 * kPi<typename V::Scalar>[0]);
  V::store(first, radius * cos(angle));
  V::store(second, radius * sin(angle));
}

inline void random_normal_f32(void* out, int64_t start, int64_t n, const RandomStream& stream) {
  using V = Vec<int32_t>;
  fill_batches<float, kShort>(out, start, n, stream, [](float* y, const Batch& batch) {
    for (int half = 0; half < 2; half++) {
      float* const z = y + half * kLong;
      for (int i = 0; i < kCounters; i += V::kLanes) {
        const V bits = shift_right(V::load(batch.words[2 * half] + i), 1),
                turn = V::load(batch.words[2 * half + 1] + i);
        box_muller((to_float(bits) + 0.5f) * 0x1p-31f, to_float(turn) * 0x1p-32f, z + i, z + kCounters + i);
      }
    }
  });
}

inline void random_normal_f64(void* out, int64_t start, int64_t n, const RandomStream& stream) {
  using V = Vec<double>;
  fill_batches<double, kLong>(out, start, n, stream, [](double* y, const Batch& batch) {
    double uniform[kCounters], turn[kCounters];
    for (int i = 0; i < kCounters; i++) {
      uniform[i] = (static_cast<double>(static_cast<int64_t>(long_word(batch, 0, i) >> 11)) + 0.5) * 0x1p-53;
      turn[i] = static_cast<double>(static_cast<int64_t>(long_word(batch, 1, i)) >> 11) * 0x1p-53;
    }
    for (int i = 0; i < kCounters; i += V::kLanes) {
      box_muller(V::load(uniform + i), V::load(turn + i), y + i, y + kCounters + i);
    }
  });
}

// 64 bits an element, whose product with the range is cut to its upper half: the bias is below range / 2^64.
template <class T>
void random_integers(void* out, int64_t start, int64_t n, const RandomStream& stream, int64_t low, uint64_t range) {
  fill_batches<T, kLong>(out, start, n, stream, [low, range](T* y, const Batch& batch) {
    for (int i = 0; i < kLong; i++) {
      const uint64_t word = long_word(batch, i / kCounters, i % kCounters);
      const uint64_t offset = range ? static_cast<uint64_t>(static_cast<unsigned __int128>(word) * range >> 64) : word;
      y[i] = static_cast<T>(static_cast<uint64_t>(low) + offset);
    }
  });
}

constexpr RandomTable make_random_table() {
  return {{random_uniform_f32, random_uniform_f64},
          {random_normal_f32, random_normal_f64},
          {random_integers<int32_t>, random_integers<int64_t>},
          random_bits};
}

}  // namespace
}  // namespace nabla::NABLA_ISA
