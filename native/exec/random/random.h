#pragma once
#include "exec/call.h"
#include "kernels/random.h"

namespace nabla {

// The stream of [key low, key high, stream]; false if these are invalid.
bool stream_of(const double* words, RandomStream& stream);

// attrs of all: [key low, key high, stream]; element i of the result is element i of that stream.
// A fourth attribute of these two: the first element of the stream, a multiple of kRandomChunk.
Status run_uniform(const Call& call);
Status run_normal(const Call& call);
// attrs: ..., low, range. Integers low .. low + range - 1.
Status run_random_integers(const Call& call);
// Rows of the integers 0 to n - 1 in random order, int32 or int64: Fisher and Yates from the end, element i trading
// places with element floor(u (i + 1)), where u is the uniform double of the stream at its place.
Status run_permutation(const Call& call);
// out = x / (1 - p) where the stream's uniform number is at least p, else 0. attrs: ..., p.
Status run_dropout(const Call& call);

}  // namespace nabla
