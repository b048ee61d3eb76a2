#include "runtime/memory.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/leaked.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "base/settings.h"
#include "runtime/cgroup.h"

namespace nabla {
namespace {

constexpr size_t kAlign = 64;
constexpr size_t kPadding = 64;            // readable bytes past the end of every block
constexpr size_t kHuge = size_t{2} << 20;  // blocks from here on are mapped, aligned and advised as huge pages
// The size of a storage's header and padding, which is added to the size classes, so that a power of two of elements
// fills its block.
constexpr size_t kSlack = 128;
constexpr size_t kColours = 16, kColour = 256;  // see map_huge
constexpr int kSmallestLog = 6;
constexpr size_t kSmallest = size_t{1} << kSmallestLog;
constexpr int kSteps = 8;
constexpr int kClasses = kSteps * 48;
constexpr int64_t kLarge =
    int64_t{64} << 10;  // from here on the caches of the machine, not these counters, take the time
constexpr int64_t kLeastCache = int64_t{192} << 20;

struct FreeBlock {
  FreeBlock* next;
};

struct alignas(64) Bin {
  std::atomic_flag lock = ATOMIC_FLAG_INIT;
  FreeBlock* head = nullptr;

  FreeBlock* pop() {
    acquire();
    FreeBlock* block = head;
    if (block) head = block->next;
    lock.clear(std::memory_order_release);
    return block;
  }
  void push(FreeBlock* block) {
    acquire();
    block->next = head;
    head = block;
    lock.clear(std::memory_order_release);
  }
  void acquire() {
    while (lock.test_and_set(std::memory_order_acquire)) {
    }
  }
};

struct Cache {
  Bin bins[kClasses];
  std::atomic<int64_t> live{0}, cached{0}, peak{0}, large_taken{0};

  void grow(int64_t bytes) {
    if (bytes >= kLarge) large_taken.fetch_add(1, std::memory_order_relaxed);
    const int64_t now = live.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    int64_t most = peak.load(std::memory_order_relaxed);
    while (now > most && !peak.compare_exchange_weak(most, now, std::memory_order_relaxed)) {
    }
  }
};

Cache& cache() { return leaked<Cache>(); }

// Classes are powers of two divided into eight steps: at most an eighth of a block is wasted.
int class_of(size_t requested, size_t* rounded) {
  const size_t bytes = requested + kPadding > kSlack ? requested + kPadding - kSlack : 0;
  if (bytes <= kSmallest) {
    *rounded = kSmallest + kSlack;
    return 0;
  }
  int log = 63 - __builtin_clzll(bytes - 1);
  size_t step = size_t{1} << (log - 3);
  const size_t size = (bytes + step - 1) & ~(step - 1);
  *rounded = size + kSlack;
  return kSteps * (log - kSmallestLog) + static_cast<int>((size - (size_t{1} << log)) / step);
}

size_t class_bytes(int index) {
  size_t base = kSmallest << (index / kSteps);
  return base + (base / kSteps) * (index % kSteps) + kSlack;
}

// Memory used by the rest of the process: Node itself, V8's heap, thread stacks.
constexpr int64_t kLeastElsewhere = int64_t{128} << 20;

int64_t detect_ceiling() {
  if (settings().memory_limit > 0) return settings().memory_limit;
  const int64_t physical = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  const int64_t limit = std::min(physical, group_limits().memory);
  return limit - std::max(limit / 16, std::min(limit / 3, kLeastElsewhere));
}

int64_t ceiling() {
  static const int64_t value = detect_ceiling();
  return value;
}

// Above this number of cached bytes, a miss frees other blocks before it maps new ones. With room, several large blocks
// alternate: the pages of a new one have to be zeroed.
int64_t cache_limit() {
  static const int64_t value = ceiling() / 16 > kLeastCache ? ceiling() / 16 : kLeastCache;
  return value;
}

size_t mapped_bytes(size_t bytes) {
  constexpr size_t kPage = 4096;
  return (bytes + kColours * kColour + kPage - 1) & ~(kPage - 1);
}

// Blocks start at different offsets into a page: otherwise operands read together would share cache sets.
void* map_huge(size_t size) {
  static std::atomic<uint32_t> blocks{0};
  const size_t bytes = mapped_bytes(size);
  char* raw =
      static_cast<char*>(mmap(nullptr, bytes + kHuge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (raw == MAP_FAILED) return nullptr;
  char* block = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(raw) + kHuge - 1) & ~(kHuge - 1));
  if (block > raw) munmap(raw, block - raw);
  size_t tail = raw + bytes + kHuge - (block + bytes);
  if (tail > 0) munmap(block + bytes, tail);
#ifdef MADV_HUGEPAGE
  madvise(block, bytes, MADV_HUGEPAGE);
#endif
  return block + blocks.fetch_add(1, std::memory_order_relaxed) % kColours * kColour;
}

void* system_allocate(size_t bytes) {
  return bytes >= kHuge ? map_huge(bytes) : std::aligned_alloc(kAlign, (bytes + kAlign - 1) & ~(kAlign - 1));
}

void system_free(void* block, size_t bytes) {
  if (bytes >= kHuge)
    munmap(reinterpret_cast<void*>(reinterpret_cast<uintptr_t>(block) & ~(kHuge - 1)), mapped_bytes(bytes));
  else
    std::free(block);
}

// Frees cached blocks, the largest first, until at most `keep` bytes remain.
void trim_to(int64_t keep) {
  Cache& c = cache();
  for (int i = kClasses - 1; i >= 0; i--) {
    size_t bytes = class_bytes(i);
    while (c.cached.load(std::memory_order_relaxed) > keep) {
      FreeBlock* block = c.bins[i].pop();
      if (!block) break;
      c.cached.fetch_sub(static_cast<int64_t>(bytes));
      system_free(block, bytes);
    }
  }
}

}  // namespace

bool claim_memory(int64_t bytes) {
  Cache& c = cache();
  const int64_t room = ceiling() - c.live.load() - bytes;
  if (room < 0) return false;
  if (c.cached.load() > room) trim_to(room);
  c.grow(bytes);
  return true;
}

void unclaim_memory(int64_t bytes) { cache().live.fetch_sub(bytes, std::memory_order_relaxed); }

void* allocate(size_t bytes) {
  if (bytes > size_t{1} << 52) return nullptr;
  size_t rounded;
  int index = class_of(bytes, &rounded);
  Cache& c = cache();
  int64_t size = static_cast<int64_t>(rounded);
  if (FreeBlock* block = c.bins[index].pop()) {
    c.cached.fetch_sub(size, std::memory_order_relaxed);
    c.grow(size);
    return block;
  }
  const int64_t limit = cache_limit();
  if (c.cached.load(std::memory_order_relaxed) + size > limit) trim_to(size < limit ? limit - size : 0);
  const int64_t room = ceiling() - c.live.load() - size;
  if (room < 0) return nullptr;
  if (c.cached.load() > room) trim_to(room);
  void* block = system_allocate(rounded);
  if (!block) {
    trim_to(0);
    block = system_allocate(rounded);
    if (!block) return nullptr;
  }
  c.grow(size);
  return block;
}

void deallocate(void* block, size_t bytes) {
  size_t rounded;
  int index = class_of(bytes, &rounded);
  Cache& c = cache();
  c.live.fetch_sub(static_cast<int64_t>(rounded), std::memory_order_relaxed);
  c.cached.fetch_add(static_cast<int64_t>(rounded), std::memory_order_relaxed);
  c.bins[index].push(static_cast<FreeBlock*>(block));
}

size_t block_bytes(size_t bytes) {
  size_t rounded;
  class_of(bytes, &rounded);
  return rounded;
}

void trim_memory(int64_t keep) {
  trim_to(keep);
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

int64_t large_blocks_taken() { return cache().large_taken.load(std::memory_order_relaxed); }

void stream(void* to, const void* from, int64_t bytes) {
#ifdef __SSE2__
  auto* target = static_cast<__m128i*>(to);
  auto* source = static_cast<const __m128i*>(from);
  for (int64_t i = 0; i < bytes / 16; i++) _mm_stream_si128(target + i, _mm_loadu_si128(source + i));
#else
  std::memcpy(to, from, static_cast<size_t>(bytes));
#endif
}

namespace {
std::atomic<int64_t> streamings{0};
}
int64_t times_streamed() { return streamings.load(std::memory_order_relaxed); }

void end_streaming() {
  streamings.fetch_add(1, std::memory_order_relaxed);
#ifdef __SSE2__
  _mm_sfence();
#endif
}

MemoryStats memory_stats() {
  Cache& c = cache();
  return {c.live.load(), c.cached.load(), c.peak.load(), ceiling()};
}

void reset_peak() {
  Cache& c = cache();
  c.peak.store(c.live.load());
}

}  // namespace nabla
