// The state of one JavaScript thread: its table of storages and graph nodes, each tracked by a weak reference, and its
// frame.
#pragma once
#include <node_api.h>

#include <cstdint>
#include <mutex>
#include <vector>

#include "base/layout.h"
#include "base/status.h"
#include "binding/instruction.h"
#include "runtime/storage.h"
#include "runtime/workspace.h"

namespace nabla {

// A slot of the table. It is in use while its JavaScript handle lives or graph nodes pin it.
struct Entry {
  Storage* storage = nullptr;
  napi_ref handle = nullptr;  // weak; nullptr where a block watches the handle
  bool held = false;          // a handle may be alive
  int32_t generation = 1;
  int32_t pins = 0;
  int32_t next_free = -1;
  uint32_t born = 0;  // how many reclaims there had been
  DType dtype = DType::F32;
  int32_t rank = 0;
  int64_t dims[4] = {};
};

// A weak reference costs more than a small op, so the handles of small results share one tracked object, which they
// keep alive: once it is dead, all of them are. A live handle keeps at most kBlockSlots * kBlockBytes alive.
struct Block {
  napi_ref handle = nullptr;
  int32_t count = 0;
  int32_t next_free = -1;
  int32_t slots[kBlockSlots];
  int32_t generations[kBlockSlots];
};

// Memory allocated by JavaScript that counts while the object lives.
struct Claim {
  napi_ref object = nullptr;
  int64_t bytes = 0;
};

constexpr int kMaxSaved = 6;

// The saved values of a graph node, released by backward or when the node is collected.
struct Node {
  napi_ref handle = nullptr;
  int32_t generation = 1;
  int32_t next_free = -1;
  int32_t count = 0;
  int32_t slots[kMaxSaved];
};

class Environment {
 public:
  explicit Environment(napi_env env) : env_(env) {
    frame.ints = no_frame_;
    frame.int_count = kSmallestFrame;
  }
  ~Environment();

  Frame frame;
  napi_ref frame_refs[2] = {};  // keep its memory alive
  int64_t byte_bound = int64_t{16} << 20,
          least_handles = 12;  // between two reclaims, as lib/tensor/memory.ts sets them
  bool holds_flags = false;  // the flag mutex: a worker may be ended while it does
  SmallStorages small;
  const char* message = "";  // of the last status
  Instruction instruction;  // of the current call
  Workspace workspace;

  bool valid(int32_t slot, int32_t generation) const {
    return slot >= 0 && static_cast<size_t>(slot) < entries_.size() && entries_[slot].generation == generation &&
           entries_[slot].storage;
  }
  Entry& entry(int32_t slot) { return entries_[slot]; }

  // Reserves that many more of each, so that tracking them cannot run out of memory; throws bad_alloc.
  void reserve(size_t entries, size_t nodes) {
    // Usually one free entry and node are available in the lists.
    const bool in_lists = entries <= 1 && free_entries_ >= 0 && (nodes == 0 || (nodes == 1 && free_nodes_ >= 0));
    if (!in_lists) grow(entries, nodes);
  }
  // Takes over one reference to the storage. Returns the slot, or -1 if the weak reference cannot be made.
  int32_t track(napi_value handle, Storage* storage, const View& view);
  // The same for a small storage, tracked by a block with room for it.
  int32_t track_in_block(int32_t block, Storage* storage, const View& view);
  int32_t track_block(napi_value block);
  bool has_room(int32_t block) const {
    return block >= 0 && static_cast<size_t>(block) < blocks_.size() && blocks_[block].handle &&
           blocks_[block].count < kBlockSlots;
  }
  int32_t track_node(napi_value node);
  void pin(int32_t node, int32_t slot);
  void unpin(int32_t slot);
  bool valid_node(int32_t node, int32_t generation) const {
    return node >= 0 && static_cast<size_t>(node) < nodes_.size() && nodes_[node].generation == generation &&
           nodes_[node].handle;
  }
  Node& node(int32_t id) { return nodes_[id]; }
  void release_pins(int32_t node);
  void release_node(int32_t node);
  void dispose(int32_t slot);

  // Frees what the weak references show to be dead. Returns the freed bytes.
  int64_t reclaim();
  void account(int64_t bytes);
  // Returns false without counting if the limit does not allow it.
  bool claim(napi_value object, int64_t bytes);
  // Changes with every call that makes something.
  int64_t made() const { return made_; }
  bool under_pressure() const;
  int64_t since_bytes() const { return since_bytes_; }
  int64_t live_handles() const { return live_handles_; }
  // Sentences for ERR_MEMORY: the largest live tensors.
  void describe_largest(char* out, size_t capacity) const;

 private:
  static_assert(kOperandBase + kMaxSaved * kOperandInts <= kSmallestFrame);
  int32_t no_frame_[kSmallestFrame] = {};  // until there is one
  void grow(size_t entries, size_t nodes);
  void free_entry(int32_t slot);
  int32_t new_entry(Storage* storage, const View& view);

  napi_env env_;
  std::vector<Entry> entries_;
  std::vector<Block> blocks_;
  std::vector<Claim> claims_;
  int32_t free_blocks_ = -1;
  std::vector<Node> nodes_;
  int32_t free_entries_ = -1;
  int32_t free_nodes_ = -1;
  int64_t live_handles_ = 0, made_ = 0;
  int64_t since_bytes_ = 0, since_handles_ = 0, handle_bound_ = 4096;
  uint32_t seen_pressure_ = 0;
  uint32_t reclaims_ = 0;
};

// V8's flags are process-wide, so one thread at a time sets, uses and resets them.
std::mutex& flag_mutex();

}  // namespace nabla
