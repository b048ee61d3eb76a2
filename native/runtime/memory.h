// The caching allocator: 64-byte aligned blocks in size classes, large ones in huge-page arenas. Never zeroed.
#pragma once
#include <cstddef>
#include <cstdint>

namespace nabla {

// nullptr when the ceiling (NABLA_MEMORY_LIMIT, cgroup or physical memory) is reached. At least 64 bytes past `bytes`
// are readable.
void* allocate(size_t bytes);
void deallocate(void* block, size_t bytes);
// What allocate takes for that many bytes.
size_t block_bytes(size_t bytes);
// Gives cached blocks back to the system.
void trim_memory();

struct MemoryStats {
  int64_t live_bytes;
  int64_t cached_bytes;
  int64_t peak_bytes;
};
MemoryStats memory_stats();
void reset_peak();

// Scratch of the calling thread, kept between calls: grows, never shrinks; nullptr when memory is out.
// The slot numbers keep uses apart that are alive at the same time in one thread.
enum class Scratch { GEMM_A, GEMM_B, TILES, COPY, COLUMNS, COUNT };
void* scratch(Scratch use, size_t bytes);
// When a thread ends: its scratch goes back.
void release_scratch();

}  // namespace nabla
