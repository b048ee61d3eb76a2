// A process-wide, counted buffer. Tensors of any JavaScript thread may hold the same one.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace nabla {

struct Storage {
  std::atomic<int32_t> refs{1};
  std::atomic<uint32_t> version{0};  // raised by every in-place write
  std::atomic<int32_t> writer{-1};   // opcode of the last in-place write
  void* data = nullptr;
  size_t bytes = 0;
  std::atomic<uint64_t> id{0};  // 0 until it is shared
};

// One reference, the caller's; nullptr when memory is out.
Storage* create_storage(size_t bytes);
void retain(Storage* s);
void release(Storage* s);

// The name under which other threads find the storage. The message holds a reference of its own, in the sender's name,
// until somebody attaches or the sender ends.
uint64_t share_storage(Storage* s, const void* sender);
void release_shared(const void* sender);
// A new reference, or nullptr when nothing holds that storage any more.
Storage* attach_storage(uint64_t id);

int64_t live_storages();

}  // namespace nabla
