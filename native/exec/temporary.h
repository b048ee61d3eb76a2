#pragma once
#include <cstdint>

#include "runtime/memory.h"

namespace nabla {

// A block that is given back at the end of its scope.
class Temporary {
 public:
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

}  // namespace nabla
