// A process-wide, reference-counted buffer, which tensors of any JavaScript thread may share.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/dtype.h"

namespace nabla {

struct Storage {
  std::atomic<int32_t> refs{1};
  std::atomic<uint32_t> version{0};  // raised by every in-place write
  std::atomic<int32_t> writer{-1};   // opcode of the last in-place write
  void* data = nullptr;
  size_t bytes = 0;     // what views may reach
  size_t capacity = 0;  // what was allocated; 0 for a map
  DType dtype = DType::U8;
  bool mapped = false;  // a map of a file
  std::atomic<uint64_t> id{0};  // 0 until it is shared
};

// Returns one reference, owned by the caller; nullptr if out of memory.
Storage* create_storage(size_t bytes, DType dtype);
// On the map of a file, which it ends; nullptr if out of memory.
Storage* create_mapped_storage(void* map, size_t bytes, DType dtype);
void retain(Storage* s);
void release(Storage* s);

// The id under which other threads find the storage. The message holds a reference, on the sender's account, until it
// is attached or the sender ends; without a sender, nothing is held.
uint64_t share_storage(Storage* s, const void* sender);
void release_shared(const void* sender);
// A new reference, or nullptr if the storage is gone.
Storage* attach_storage(uint64_t id);
// Distinguishes this registry from those of other processes and copies of the library, as ids count from 1 in each: the
// nonzero number that the first caller proposes.
uint64_t registry_origin(uint64_t proposed);

int64_t live_storages();
// Bytes of live storages and all other allocations, except cached small storages.
int64_t live_storage_bytes();

// A thread's cache of small storages without references: taken and returned without atomics. Cached storages do not
// count as live.
class SmallStorages {
 public:
  static constexpr size_t kLargest = 512;

  SmallStorages();
  ~SmallStorages();
  Storage* take(size_t bytes, DType dtype);
  // Takes over the caller's reference, if it is the only one and there is room; otherwise releases it.
  void put(Storage* s);

 private:
  static constexpr int kClasses = 4;  // of 64, 128, 256 and 512 bytes
  static constexpr int kCapacity = 4096;
  static int class_of(size_t bytes) { return bytes <= 64 ? 0 : bytes <= 128 ? 1 : bytes <= 256 ? 2 : 3; }

  friend int64_t live_storages();
  friend int64_t live_storage_bytes();
  Storage* stock_[kClasses][kCapacity];
  int counts_[kClasses] = {};
  void count(int64_t storages, size_t capacity);
  std::atomic<int64_t> total_{0}, bytes_{0};  // written by the owner alone
  SmallStorages* next_ = nullptr;  // all stocks of the process
};

}  // namespace nabla
