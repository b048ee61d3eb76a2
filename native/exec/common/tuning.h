// Sizes of pieces of work. Chunks depend on the shape alone, so that results do not depend on the machine.
#pragma once
#include <cstdint>

namespace nabla {

constexpr int64_t kElementwiseChunk = 32768;  // elements
constexpr int64_t kReduceChunk = 65536;       // elements read by one task: a power of two of blocks
constexpr int64_t kReduceColumns = 1024;      // columns of one task
constexpr int64_t kRandomChunk = 16384;
constexpr int64_t kRowsChunk = 16384;         // elements of whole rows in softmax and its kin

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// A result of so many bytes leaves the cache before it is read again, so it is written by streaming stores.
constexpr int64_t kStreamed = int64_t{16} << 20;
constexpr int64_t kRowWork = int64_t{256} << 10;  // bytes of a row that stay in the cache from one pass to the next

}  // namespace nabla
