// Short rows, sorted side by side: an item holds the index and as much of the key as fits above it.
#pragma once
#include <algorithm>
#include <cstdint>

#include "exec/sort/keys.h"
#include "kernels/sort.h"

namespace nabla {

constexpr int64_t kShortRow = 1024;

template <class T>
class ShortRow {
 public:
  using K = typename Row<T>::K;

  ShortRow() = default;
  // Writes the items of `row` into lane `lane` of `items`.
  ShortRow(const Row<T>& row, int32_t* items, int lanes, int lane) : row_(row), items_(items + lane), lanes_(lanes) {
    K keys[kShortRow], low = static_cast<K>(~K{0}), high = 0;
    if (row.stride == 1)
      for (int64_t i = 0; i < row.size; i++) keys[i] = row.key_of_value(row.data[i]);
    else
      for (int64_t i = 0; i < row.size; i++) keys[i] = row.key(i);
    for (int64_t i = 0; i < row.size; i++) {
      low = std::min(low, keys[i]);
      high = std::max(high, keys[i]);
    }
    index_bits_ = bits_of(static_cast<uint64_t>(row.size - 1));
    const int wanted = bits_of(static_cast<K>(high - low)), room = 32 - index_bits_;
    const int shift = wanted > room ? wanted - room : 0;
    exact_ = shift == 0;
    for (int64_t i = 0; i < row.size; i++) {
      const auto part = static_cast<uint64_t>(static_cast<K>(keys[i] - low) >> shift) << index_bits_;
      items_[i * lanes] = static_cast<int32_t>(static_cast<uint32_t>(part | static_cast<uint64_t>(i)) ^ kSign);
    }
  }

  // Calls to.take(position, index) for the first k positions, after the lanes are sorted. False if too many keys differ
  // only in bits that their items lack.
  template <class To>
  bool finish(int64_t k, const To& to) const {
    if (exact_) {
      for (int64_t i = 0; i < k; i++) to.take(i, index(i));
      return true;
    }
    K keys[kShortRow];
    int32_t indices[kShortRow];
    int64_t moves_left = row_.size;
    for (int64_t i = 0; i < row_.size; i++) {
      const int32_t from = index(i);
      const K key = row_.key(from);
      int64_t at = i;
      for (; at > 0 && key < keys[at - 1]; at--) {
        keys[at] = keys[at - 1];
        indices[at] = indices[at - 1];
      }
      keys[at] = key;
      indices[at] = from;
      if ((moves_left -= i - at) < 0) return false;
    }
    for (int64_t i = 0; i < k; i++) to.take(i, indices[i]);
    return true;
  }

 private:
  static constexpr uint32_t kSign = 1u << 31;  // lanes are compared as signed numbers
  int32_t index(int64_t i) const {
    return static_cast<int32_t>((static_cast<uint32_t>(items_[i * lanes_]) ^ kSign) & ((1u << index_bits_) - 1));
  }

  Row<T> row_{};
  int32_t* items_ = nullptr;
  int lanes_ = 0, index_bits_ = 0;
  bool exact_ = false;
};

}  // namespace nabla
