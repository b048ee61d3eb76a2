#include "binding/environment.h"

#include <algorithm>
#include <atomic>
#include <cstdio>

#include "base/leaked.h"
#include "runtime/memory.h"

namespace nabla {
namespace {

// Few enough that the allocations of small ops between two reclaims fit the L2 cache, native and JavaScript.
constexpr int64_t kPressureHandles = 4096;
constexpr int64_t kHandleCharge = 256;
// With fewer handles than the minimum between two reclaims, this many bytes are allowed.
constexpr int64_t kMostBytes = int64_t{256} << 20;

template <class T>
void make_room(std::vector<T>& list, size_t more) {
  if (list.capacity() - list.size() < more) list.reserve(std::max(list.size() + more, 2 * list.capacity()));
}

// Raised when any thread's allocations since its last reclaim pass the bound; every thread then reclaims at its next
// call.
std::atomic<uint32_t> pressure{0};

}  // namespace

Environment::~Environment() {
  if (holds_flags) flag_mutex().unlock();
  release_shared(this);
  // References must be deleted here, else they outlive the environment.
  auto forget = [this](napi_ref ref) {
    if (ref) napi_delete_reference(env_, ref);
  };
  for (Entry& e : entries_) {
    if (!e.storage) continue;
    forget(e.handle);
    release(e.storage);
  }
  for (Block& b : blocks_) forget(b.handle);
  for (Node& n : nodes_) forget(n.handle);
  for (const Claim& c : claims_) {
    forget(c.object);
    unclaim_memory(c.bytes);
  }
  for (napi_ref ref : frame_refs) forget(ref);
}

std::mutex& flag_mutex() {
  struct Flags {
    std::mutex mutex;
  };
  return leaked<Flags>().mutex;
}

void Environment::grow(size_t entries, size_t nodes) {
  make_room(entries_, entries);
  make_room(nodes_, nodes);
}

int32_t Environment::new_entry(Storage* storage, const View& view) {
  int32_t slot = free_entries_;
  if (slot >= 0) {
    free_entries_ = entries_[slot].next_free;
  } else {
    slot = static_cast<int32_t>(entries_.size());
    entries_.emplace_back();
  }
  Entry& e = entries_[slot];
  e.storage = storage;
  e.handle = nullptr;
  e.held = true;
  e.pins = 0;
  e.born = reclaims_;
  e.dtype = view.dtype;
  e.rank = view.rank;
  for (int i = 0; i < view.rank && i < 4; i++) e.dims[i] = view.dims[i];
  live_handles_++;
  made_++;
  account(static_cast<int64_t>(storage->bytes));
  return slot;
}

int32_t Environment::track(napi_value handle, Storage* storage, const View& view) {
  napi_ref ref = nullptr;
  if (napi_create_reference(env_, handle, 0, &ref) != napi_ok) return -1;
  int32_t slot = new_entry(storage, view);
  entries_[slot].handle = ref;
  return slot;
}

int32_t Environment::track_in_block(int32_t block, Storage* storage, const View& view) {
  int32_t slot = new_entry(storage, view);
  Block& b = blocks_[block];
  b.slots[b.count] = slot;
  b.generations[b.count++] = entries_[slot].generation;
  return slot;
}

int32_t Environment::track_block(napi_value block) {
  make_room(blocks_, 1);
  napi_ref ref = nullptr;
  if (napi_create_reference(env_, block, 0, &ref) != napi_ok) return -1;
  int32_t id = free_blocks_;
  if (id >= 0) {
    free_blocks_ = blocks_[id].next_free;
  } else {
    id = static_cast<int32_t>(blocks_.size());
    blocks_.emplace_back();
  }
  blocks_[id].handle = ref;
  blocks_[id].count = 0;
  return id;
}

int32_t Environment::track_node(napi_value node) {
  napi_ref ref = nullptr;
  if (napi_create_reference(env_, node, 0, &ref) != napi_ok) return -1;
  int32_t id = free_nodes_;
  if (id >= 0) {
    free_nodes_ = nodes_[id].next_free;
  } else {
    id = static_cast<int32_t>(nodes_.size());
    nodes_.emplace_back();
  }
  nodes_[id].handle = ref;
  nodes_[id].count = 0;
  return id;
}

void Environment::pin(int32_t node, int32_t slot) {
  Node& n = nodes_[node];
  if (n.count == kMaxSaved) return;
  n.slots[n.count++] = slot;
  entries_[slot].pins++;
}

void Environment::free_entry(int32_t slot) {
  Entry& e = entries_[slot];
  if (e.storage->bytes <= SmallStorages::kLargest)
    small.put(e.storage);
  else
    release(e.storage);
  e.storage = nullptr;
  // A generation repeats only after four billion reuses of the slot.
  e.generation = e.generation == INT32_MAX ? 1 : e.generation + 1;
  e.next_free = free_entries_;
  free_entries_ = slot;
}

void Environment::unpin(int32_t slot) {
  Entry& e = entries_[slot];
  if (--e.pins == 0 && !e.held) free_entry(slot);
}

void Environment::release_pins(int32_t node) {
  Node& n = nodes_[node];
  int32_t count = n.count;
  n.count = 0;
  for (int32_t i = 0; i < count; i++) unpin(n.slots[i]);
}

void Environment::release_node(int32_t node) {
  release_pins(node);
  Node& n = nodes_[node];
  napi_delete_reference(env_, n.handle);
  n.handle = nullptr;
  n.generation = n.generation == INT32_MAX ? 1 : n.generation + 1;
  n.next_free = free_nodes_;
  free_nodes_ = node;
}

void Environment::dispose(int32_t slot) {
  Entry& e = entries_[slot];
  if (!e.held) return;
  if (e.handle) napi_delete_reference(env_, e.handle);
  e.handle = nullptr;
  e.held = false;
  live_handles_--;
  if (e.born == reclaims_) {
    since_handles_--;
    since_bytes_ -= static_cast<int64_t>(e.storage->bytes) + kHandleCharge;
  }
  if (e.pins == 0) free_entry(slot);
}

int64_t Environment::reclaim() {
  int64_t before = live_storage_bytes();
  napi_handle_scope scope = nullptr;
  size_t visited = 0;
  auto dead = [&](napi_ref ref) {
    if (visited++ % 1024 == 0) {
      if (scope) napi_close_handle_scope(env_, scope);
      napi_open_handle_scope(env_, &scope);
    }
    napi_value value = nullptr;
    return napi_get_reference_value(env_, ref, &value) == napi_ok && value == nullptr;
  };
  for (size_t i = 0; i < nodes_.size(); i++)
    if (nodes_[i].handle && dead(nodes_[i].handle)) release_node(static_cast<int32_t>(i));
  for (size_t i = 0; i < blocks_.size(); i++) {
    Block& b = blocks_[i];
    if (!b.handle || !dead(b.handle)) continue;
    for (int32_t k = 0; k < b.count; k++)
      if (valid(b.slots[k], b.generations[k])) dispose(b.slots[k]);
    napi_delete_reference(env_, b.handle);
    b.handle = nullptr;
    b.next_free = free_blocks_;
    free_blocks_ = static_cast<int32_t>(i);
  }
  for (size_t i = 0; i < entries_.size(); i++)
    if (entries_[i].handle && dead(entries_[i].handle)) dispose(static_cast<int32_t>(i));
  for (size_t i = 0; i < claims_.size();) {
    if (!dead(claims_[i].object)) {
      i++;
      continue;
    }
    napi_delete_reference(env_, claims_[i].object);
    unclaim_memory(claims_[i].bytes);
    claims_[i] = claims_.back();
    claims_.pop_back();
  }
  if (scope) napi_close_handle_scope(env_, scope);
  since_bytes_ = 0;
  since_handles_ = 0;
  // A reclaim looks at every live handle, so with many of them it runs less often.
  handle_bound_ = live_handles_ / 2 > kPressureHandles ? live_handles_ / 2 : kPressureHandles;
  reclaims_++;
  seen_pressure_ = pressure.load(std::memory_order_relaxed);
  return before - live_storage_bytes();
}

void Environment::account(int64_t bytes) {
  since_bytes_ += bytes + kHandleCharge;
  since_handles_++;
  const int64_t bound = since_handles_ < least_handles ? kMostBytes : byte_bound;
  if (since_bytes_ > bound || since_handles_ > handle_bound_) {
    if (seen_pressure_ == pressure.load(std::memory_order_relaxed)) pressure.fetch_add(1, std::memory_order_relaxed);
  }
}

bool Environment::claim(napi_value object, int64_t bytes) {
  claims_.emplace_back();  // first, as it may throw
  Claim claimed = {nullptr, bytes};
  const bool fits = claim_memory(bytes);
  if (!fits || napi_create_reference(env_, object, 0, &claimed.object) != napi_ok) {
    if (fits) unclaim_memory(bytes);
    claims_.pop_back();
    return false;
  }
  claims_.back() = claimed;
  made_++;
  account(bytes);
  return true;
}

bool Environment::under_pressure() const { return seen_pressure_ != pressure.load(std::memory_order_relaxed); }

void Environment::describe_largest(char* out, size_t capacity) const {
  const Entry* top[3] = {};
  for (const Entry& e : entries_) {
    if (!e.storage) continue;
    const Entry* candidate = &e;
    for (const Entry*& place : top) {
      if (candidate && (!place || candidate->storage->bytes > place->storage->bytes)) {
        const Entry* displaced = place;
        place = candidate;
        candidate = displaced;
      }
    }
  }
  size_t used = 0;
  out[0] = 0;
  auto append = [&](const char* format, auto... args) {
    if (used < capacity) used += static_cast<size_t>(std::snprintf(out + used, capacity - used, format, args...));
  };
  for (const Entry* e : top) {
    if (!e) continue;
    append("%s%s[", used ? ", " : "", kDTypeNames[static_cast<int>(e->dtype)]);
    for (int i = 0; i < e->rank && i < 4; i++) append("%s%lld", i ? ", " : "", static_cast<long long>(e->dims[i]));
    append("%s] %.1f MB", e->rank > 4 ? ", ..." : "", static_cast<double>(e->storage->bytes) / 1e6);
  }
}

}  // namespace nabla
