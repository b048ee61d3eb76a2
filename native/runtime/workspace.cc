#include "runtime/workspace.h"

#include <new>

#include "runtime/memory.h"

namespace nabla {
namespace {

// That a thread keeps: enough for both operands of a matrix product, packed. What is more goes back to the allocator's
// cache, where results take it too.
constexpr int64_t kMostKept = int64_t{40} << 20;

}  // namespace

Workspace::Block* Workspace::unlink(Part& part, Block** link) {
  Block* block = *link;
  *link = block->next;
  part.bytes -= static_cast<int64_t>(block->bytes);
  return block;
}

void Workspace::free_all(Part& part) {
  while (part.first) {
    Block* block = unlink(part, &part.first);
    deallocate(block, block->bytes);
  }
}

void Workspace::release() {
  for (Part& part : parts_) free_all(part);
}

void* Scratch::take(size_t bytes) {
  if (data_ && bytes_ >= bytes) return data_;
  put();
  if (bytes < sizeof(Workspace::Block)) bytes = sizeof(Workspace::Block);
  Workspace::Part& part = workspace_->parts_[thread_index()];
  // The smallest block that suffices.
  Workspace::Block **found = nullptr, **largest = nullptr;
  for (Workspace::Block** link = &part.first; *link; link = &(*link)->next) {
    if ((*link)->bytes >= bytes && (!found || (*link)->bytes < (*found)->bytes)) found = link;
    if (!largest || (*link)->bytes > (*largest)->bytes) largest = link;
  }
  if (found) {
    Workspace::Block* block = Workspace::unlink(part, found);
    bytes_ = block->bytes;
    return data_ = block;
  }
  // The new one takes the place of a smaller one: so no more blocks are kept than were in use at the same time.
  if (largest) {
    Workspace::Block* block = Workspace::unlink(part, largest);
    deallocate(block, block->bytes);
  }
  data_ = allocate(bytes);
  if (!data_) {
    Workspace::free_all(part);
    data_ = allocate(bytes);
  }
  bytes_ = data_ ? bytes : 0;
  return data_;
}

void Scratch::put() {
  if (!data_) return;
  Workspace::Part& part = workspace_->parts_[thread_index()];
  if (part.bytes + static_cast<int64_t>(bytes_) > kMostKept) {
    deallocate(data_, bytes_);
  } else {
    part.first = new (data_) Workspace::Block{part.first, bytes_};
    part.bytes += static_cast<int64_t>(bytes_);
  }
  data_ = nullptr;
  bytes_ = 0;
}

}  // namespace nabla
