// Scratch memory that is handed to a call and kept for the next one.
#pragma once
#include <cstddef>
#include <cstdint>

#include "runtime/pool.h"

namespace nabla {

// Each thread of the pool that takes part in a call has blocks of its own, so that taking one needs no lock. A
// workspace serves one call at a time. A repeated call finds the blocks of the one before and allocates nothing.
class Workspace {
 public:
  Workspace() = default;
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() { release(); }

  // Gives back what is kept. Not during a call.
  void release();

 private:
  friend class Scratch;
  // Written into the block itself while nobody uses it.
  struct Block {
    Block* next;
    size_t bytes;
  };
  struct alignas(64) Part {
    Block* first = nullptr;
    int64_t bytes = 0;
  };

  static Block* unlink(Part& part, Block** link);
  static void free_all(Part& part);

  Part parts_[kMaxThreads];
};

// A block of a workspace that belongs to the calling thread until the end of the scope.
class Scratch {
 public:
  explicit Scratch(Workspace& workspace) : workspace_(&workspace) {}
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { put(); }

  // Room for n elements, in place of an earlier one; nullptr if out of memory. At least 64 bytes beyond are readable.
  template <class T>
  T* get(int64_t n) {
    return static_cast<T*>(take(static_cast<size_t>(n) * sizeof(T)));
  }

 private:
  void* take(size_t bytes);
  void put();

  Workspace* workspace_;
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace nabla
