// The caching allocator: 64-byte aligned blocks in size classes, large ones in huge-page arenas. Never zeroed.
#pragma once
#include <cstddef>
#include <cstdint>

namespace nabla {

// nullptr at the limit (NABLA_MEMORY_LIMIT, cgroup or physical memory). At least 64 bytes beyond `bytes` are
// readable.
void* allocate(size_t bytes);
void deallocate(void* block, size_t bytes);
// Counts memory allocated elsewhere; returns false without counting if it would exceed the limit.
bool claim_memory(int64_t bytes);
void unclaim_memory(int64_t bytes);
// The size that allocate uses for that many bytes.
size_t block_bytes(size_t bytes);
// Returns cached blocks to the system until at most so many bytes remain; also memory cached by the C library.
void trim_memory(int64_t keep = 0);
// The number of large blocks taken so far, in the whole process.
int64_t large_blocks_taken();

// Copies by streaming (non-temporal) stores, which do not read the target into the cache. `to` and `bytes` are
// multiples of 16.
void stream(void* to, const void* from, int64_t bytes);
// Must be called by a thread after streaming stores, before other threads read.
void end_streaming();
// The number of such calls so far, in the whole process.
int64_t times_streamed();

struct MemoryStats {
  int64_t live_bytes;
  int64_t cached_bytes;
  int64_t peak_bytes;
  int64_t limit_bytes;
};
MemoryStats memory_stats();
void reset_peak();

}  // namespace nabla
