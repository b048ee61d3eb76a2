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

// A block that is freed at the end of its scope.
class Temporary {
 public:
  Temporary() = default;
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (data_) deallocate(data_, bytes_);
  }
  void* get(int64_t bytes) {
    bytes_ = static_cast<size_t>(bytes);
    return data_ = allocate(bytes_);
  }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

struct MemoryStats {
  int64_t live_bytes;
  int64_t cached_bytes;
  int64_t peak_bytes;
  int64_t limit_bytes;
};
MemoryStats memory_stats();
void reset_peak();

// Scratch memory of the calling thread, kept between calls: grows, never shrinks; nullptr if out of memory. Slot
// numbers separate uses that are alive at the same time in one thread.
enum class Scratch { GEMM_A, GEMM_B, GEMM_TASK, TILES, COPY, COLUMNS, ROW, COUNT };
void* scratch(Scratch use, size_t bytes);
// Frees a thread's scratch when it ends.
void release_scratch();

}  // namespace nabla
