#include "runtime/storage.h"

#include <iterator>
#include <mutex>
#include <new>
#include <unordered_map>

#include "base/leaked.h"
#include "runtime/mapping.h"
#include "runtime/memory.h"

namespace nabla {
namespace {

struct Shared {
  Storage* storage;
  const void* sender;  // who holds the message's reference; nullptr once somebody has attached
};

struct Registry {
  std::mutex mutex;
  std::unordered_map<uint64_t, Shared> shared;
  uint64_t next = 1;
};

Registry& registry() { return leaked<Registry>(); }

std::atomic<int64_t> live{0};

// A small storage shares a block with its header.
constexpr size_t kHeader = 64;
constexpr size_t kInline = 4096;
static_assert(sizeof(Storage) <= kHeader);

void destroy(Storage* s) {
  live.fetch_sub(1, std::memory_order_relaxed);
  size_t bytes = s->capacity;
  if (s->mapped) unmap_file(s->data, s->bytes);
  if (bytes > kInline) deallocate(s->data, bytes);
  deallocate(s, bytes > kInline ? kHeader : kHeader + bytes);
}

// Releases a shared storage under the registry's lock; true where that was the last reference.
bool release_locked(Storage* s) {
  if (s->refs.fetch_sub(1, std::memory_order_acq_rel) != 1) return false;
  destroy(s);
  return true;
}

}  // namespace

Storage* create_storage(size_t bytes, DType dtype) {
  void* block = allocate(bytes > kInline ? kHeader : kHeader + bytes);
  if (!block) return nullptr;
  void* data = bytes > kInline ? allocate(bytes) : static_cast<char*>(block) + kHeader;
  if (!data) {
    deallocate(block, kHeader);
    return nullptr;
  }
  auto* s = new (block) Storage;
  s->data = data;
  s->bytes = bytes;
  s->dtype = dtype;
  s->capacity = bytes;
  live.fetch_add(1, std::memory_order_relaxed);
  return s;
}

Storage* create_mapped_storage(void* map, size_t bytes, DType dtype) {
  Storage* s = create_storage(0, dtype);
  if (!s) {
    unmap_file(map, bytes);
    return nullptr;
  }
  s->data = map;
  s->bytes = bytes;
  s->mapped = true;
  return s;
}

void retain(Storage* s) { s->refs.fetch_add(1, std::memory_order_relaxed); }

void release(Storage* s) {
  if (s->id.load(std::memory_order_acquire) == 0) {
    if (s->refs.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(s);
    return;
  }
  // A shared storage is destroyed under the registry's lock, so that attach never revives a dead one.
  Registry& r = registry();
  std::lock_guard<std::mutex> guard(r.mutex);
  const uint64_t id = s->id.load();
  if (release_locked(s)) r.shared.erase(id);
}

uint64_t share_storage(Storage* s, const void* sender) {
  Registry& r = registry();
  std::lock_guard<std::mutex> guard(r.mutex);
  uint64_t id = s->id.load();
  if (id == 0) {
    id = r.next++;
    r.shared.emplace(id, Shared{s, nullptr});
    s->id.store(id, std::memory_order_release);
  }
  Shared& entry = r.shared.at(id);
  if (sender && !entry.sender) {
    entry.sender = sender;
    retain(s);
  }
  return id;
}

void release_shared(const void* sender) {
  Registry& r = registry();
  std::lock_guard<std::mutex> guard(r.mutex);
  for (auto it = r.shared.begin(); it != r.shared.end();) {
    Shared& entry = it->second;
    const bool last = entry.sender == sender && release_locked(entry.storage);
    if (entry.sender == sender) entry.sender = nullptr;
    it = last ? r.shared.erase(it) : std::next(it);
  }
}

Storage* attach_storage(uint64_t id) {
  Registry& r = registry();
  std::lock_guard<std::mutex> guard(r.mutex);
  auto found = r.shared.find(id);
  if (found == r.shared.end()) return nullptr;
  Shared& entry = found->second;
  if (entry.sender)
    entry.sender = nullptr;  // the message's reference is handed over
  else
    retain(entry.storage);
  return entry.storage;
}

uint64_t registry_origin(uint64_t proposed) {
  static std::atomic<uint64_t> origin{0};
  uint64_t none = 0;
  return origin.compare_exchange_strong(none, proposed) ? proposed : none;
}

namespace {
struct Stocks {
  std::mutex mutex;
  SmallStorages* first = nullptr;
};
Stocks& stocks() { return leaked<Stocks>(); }
}  // namespace

int64_t live_storages() {
  std::lock_guard<std::mutex> guard(stocks().mutex);
  int64_t in_stock = 0;
  for (SmallStorages* s = stocks().first; s; s = s->next_) in_stock += s->total_.load(std::memory_order_relaxed);
  return live.load() - in_stock;
}

int64_t live_storage_bytes() {
  std::lock_guard<std::mutex> guard(stocks().mutex);
  int64_t in_stock = 0;
  for (SmallStorages* s = stocks().first; s; s = s->next_) in_stock += s->bytes_.load(std::memory_order_relaxed);
  return memory_stats().live_bytes - in_stock;
}

void SmallStorages::count(int64_t storages, size_t capacity) {
  static_assert(kLargest <= kInline);
  total_.store(total_.load(std::memory_order_relaxed) + storages, std::memory_order_relaxed);
  const int64_t bytes = storages * static_cast<int64_t>(block_bytes(kHeader + capacity));
  bytes_.store(bytes_.load(std::memory_order_relaxed) + bytes, std::memory_order_relaxed);
}

SmallStorages::SmallStorages() {
  std::lock_guard<std::mutex> guard(stocks().mutex);
  next_ = stocks().first;
  stocks().first = this;
}

SmallStorages::~SmallStorages() {
  std::lock_guard<std::mutex> guard(stocks().mutex);
  SmallStorages** link = &stocks().first;
  while (*link != this) link = &(*link)->next_;
  *link = next_;
  for (int c = 0; c < kClasses; c++)
    for (int i = 0; i < counts_[c]; i++) release(stock_[c][i]);
}

Storage* SmallStorages::take(size_t bytes, DType dtype) {
  const int c = class_of(bytes);
  if (counts_[c] == 0) {
    Storage* fresh = create_storage(size_t{64} << c, dtype);
    if (fresh) fresh->bytes = bytes;
    return fresh;
  }
  Storage* s = stock_[c][--counts_[c]];
  count(-1, s->capacity);
  s->bytes = bytes;
  s->dtype = dtype;
  s->version.store(0, std::memory_order_relaxed);
  s->writer.store(-1, std::memory_order_relaxed);
  return s;
}

void SmallStorages::put(Storage* s) {
  const int c = class_of(s->capacity);
  if (s->capacity != size_t{64} << c || counts_[c] == kCapacity || s->refs.load(std::memory_order_acquire) != 1 ||
      s->id.load(std::memory_order_acquire) != 0) {
    release(s);
    return;
  }
  stock_[c][counts_[c]++] = s;
  count(1, s->capacity);
}

}  // namespace nabla
