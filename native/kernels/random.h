// Counter-based random numbers (Philox4x32-10): element i of a stream is a function of (key, stream, i) alone, so any
// split of [start, start + n) over calls and threads gives the same numbers.
//
// 16 counters (index, stream) make a batch of 64 words: the first words of all of them, then the second ones, the
// third, the fourth. Elements of 32 bits take one word each, in that order; elements of 64 bits a first and a second
// word, then a third and a fourth. Normal numbers come in pairs, 16 elements apart in float32, 16 in float64.
#pragma once
#include <cstdint>

namespace nabla {

struct RandomStream {
  uint32_t key[2];
  uint64_t stream;
};

// out[0, n) = the elements start, start + 1, ... of the stream.
using RandomFn = void (*)(void* out, int64_t start, int64_t n, const RandomStream& stream);
// The same, over the integers low, low + 1, ... low + range - 1 (range 0 stands for 2^64), wrapping in the dtype.
using RandomIntegerFn = void (*)(void* out, int64_t start, int64_t n, const RandomStream& stream, int64_t low,
                                 uint64_t range);

// Pairs are float32, float64; and int32, int64.
struct RandomTable {
  RandomFn uniform[2];  // [0, 1), all multiples of 2^-24 or 2^-53
  RandomFn normal[2];   // mean 0, deviation 1
  RandomIntegerFn integers[2];
  RandomFn bits;  // uint32
};

}  // namespace nabla
