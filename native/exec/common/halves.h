// Half-precision operands that a kernel converts to float32 and back tile by tile, without a full copy.
#pragma once
#include <atomic>

#include "base/layout.h"
#include "base/status.h"
#include "kernels/table.h"
#include "runtime/workspace.h"

namespace nabla {

// Whether a kernel that computes in `wanted` reads this stored dtype.
inline bool reads_as(DType stored, DType wanted) {
  return stored == wanted || (is_half(stored) && wanted == DType::F32);
}

// The dtype in which a kernel computes what is stored in another.
inline DType computed(DType stored) { return is_half(stored) ? DType::F32 : stored; }

// Elements in place, or half precision converted into a tile in scratch memory.
class Source {
 public:
  Source(const void* data, DType stored, DType wanted)
      : data_(static_cast<const char*>(data)), size_(static_cast<int64_t>(size_of(stored))) {
    if (stored != wanted) widen_ = kernels().convert.gather[static_cast<int>(wanted)][static_cast<int>(stored)];
  }

  // n elements from element `start` on; null if there is no memory for a tile.
  const char* read(Scratch& tile, int64_t start, int64_t n) const {
    int64_t stride = n;
    return read(tile, start, 1, n, stride);
  }
  // Rows of `columns` elements, `stride` apart; `stride` becomes the distance in the returned memory.
  const char* read(Scratch& tile, int64_t start, int64_t rows, int64_t columns, int64_t& stride) const {
    const char* from = data_ + start * size_;
    if (!widen_ || rows * columns == 0) return from;
    auto* to = tile.get<float>(rows * columns);
    if (!to) {
      starved_.store(true, std::memory_order_relaxed);
      return nullptr;
    }
    if (rows == 1 || stride == columns) {
      widen_(to, from, 1, rows * columns);
    } else {
      for (int64_t r = 0; r < rows; r++) widen_(to + r * columns, from + r * stride * size_, 1, columns);
    }
    stride = columns;
    return reinterpret_cast<const char*>(to);
  }
  // After the last read.
  Status status() const { return starved_ ? out_of_memory() : Status{}; }

 private:
  const char* data_;
  int64_t size_;  // of an element as it is stored
  ConvertFn widen_ = nullptr;
  mutable std::atomic<bool> starved_{false};
};

// Results in place, or computed in a tile in scratch memory and rounded to half precision.
class Sink {
 public:
  Sink(void* data, DType stored) : data_(static_cast<char*>(data)), size_(static_cast<int64_t>(size_of(stored))) {
    if (is_half(stored)) narrow_ = kernels().convert.gather[static_cast<int>(stored)][static_cast<int>(DType::F32)];
  }

  // Whether results are written without a tile.
  bool direct() const { return narrow_ == nullptr; }
  // Where n elements from element `start` on are to be written; null if there is no memory for a tile.
  char* open(Scratch& tile, int64_t start, int64_t n) const {
    int64_t stride = n;
    return open(tile, start, 1, n, stride);
  }
  // Rows of `columns` elements, `stride` apart; `stride` becomes the distance in the returned memory.
  char* open(Scratch& tile, int64_t start, int64_t rows, int64_t columns, int64_t& stride) const {
    if (direct()) return data_ + start * size_;
    auto* at = tile.get<float>(rows * columns);
    if (!at) starved_.store(true, std::memory_order_relaxed);
    stride = columns;
    return reinterpret_cast<char*>(at);
  }
  // After they have been.
  void close(const char* from, int64_t start, int64_t n) const { close(from, start, 1, n, n); }
  void close(const char* from, int64_t start, int64_t rows, int64_t columns, int64_t stride) const {
    if (direct()) return;
    char* to = data_ + start * size_;
    if (rows == 1 || stride == columns) return narrow_(to, from, 1, rows * columns);
    for (int64_t r = 0; r < rows; r++)
      narrow_(to + r * stride * size_, from + r * columns * static_cast<int64_t>(sizeof(float)), 1, columns);
  }
  // After the last of them.
  Status status() const { return starved_ ? out_of_memory() : Status{}; }

 private:
  char* data_;
  int64_t size_;  // of an element as it is stored
  ConvertFn narrow_ = nullptr;
  mutable std::atomic<bool> starved_{false};
};

// A vector in the dtype in which it is used.
inline Status widened(const View& v, Scratch& memory, const void*& data) {
  data = v.data;
  if (!is_half(v.dtype)) return {};
  auto* wide = memory.get<float>(v.numel());
  if (!wide) return out_of_memory();
  kernels().convert.gather[static_cast<int>(DType::F32)][static_cast<int>(v.dtype)](wide, v.data, 1, v.numel());
  data = wide;
  return {};
}

}  // namespace nabla
