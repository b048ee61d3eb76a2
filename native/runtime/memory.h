// The caching allocator: 64-byte aligned blocks in size classes, large ones in huge-page arenas. Never zeroed.
#pragma once
#include <cstddef>
#include <cstdint>

namespace nabla {

// nullptr when the ceiling (NABLA_MEMORY_LIMIT, cgroup or physical memory) is reached. At least 64 bytes past `bytes`
// are readable.
void* allocate(size_t bytes);
void deallocate(void* block, size_t bytes);
// Counts memory that somebody else allocates; false, and nothing counted, where it would pass the ceiling.
bool claim_memory(int64_t bytes);
void unclaim_memory(int64_t bytes);
// What allocate takes for that many bytes.
size_t block_bytes(size_t bytes);
// Gives cached blocks back to the system, until no more than so many bytes stay; what the C library keeps goes too.
void trim_memory(int64_t keep = 0);
// How often large blocks have been taken, in the whole process.
int64_t large_blocks_taken();

// Copies by streaming (non-temporal) stores, which do not read the target into the cache. `to` and `bytes` are
// multiples of 16.
void stream(void* to, const void* from, int64_t bytes);
// To be called by a thread that has streamed, before others read.
void end_streaming();
// How often that has been, in the whole process.
int64_t times_streamed();

// A block that is given back at the end of its scope.
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

// Scratch of the calling thread, kept between calls: grows, never shrinks; nullptr when memory is out.
// The slot numbers keep uses apart that are alive at the same time in one thread.
enum class Scratch { GEMM_A, GEMM_B, GEMM_TASK, TILES, COPY, COLUMNS, ROW, COUNT };
void* scratch(Scratch use, size_t bytes);
// When a thread ends: its scratch goes back.
void release_scratch();

}  // namespace nabla
