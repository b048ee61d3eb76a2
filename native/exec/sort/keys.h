// Sort keys of elements, and the items of a sort.
#pragma once
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace nabla {

// An unsigned number with the order of the values: -0 is 0, NaN above everything.
template <class T>
auto key_of(T value) {
  using K = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
  constexpr K kTop = K{1} << (8 * sizeof(K) - 1);
  if constexpr (std::is_floating_point_v<T>) {
    K bits;
    std::memcpy(&bits, &value, sizeof bits);
    const K key = bits & kTop ? ~bits : bits | kTop;
    return value != value ? static_cast<K>(~K{0}) : value == 0 ? kTop : key;
  } else {
    return static_cast<K>(std::is_signed_v<T> ? static_cast<K>(value) ^ kTop : static_cast<K>(value));
  }
}

template <class K>
struct Item {
  K key;
  int32_t index;
  friend bool operator<(const Item& a, const Item& b) { return a.key < b.key || (a.key == b.key && a.index < b.index); }
};

// The elements of a row, with keys for the requested order.
template <class T>
struct Row {
  using K = decltype(key_of(T()));
  const T* data;
  int64_t stride, size;
  bool descending;
  T at(int64_t i) const { return data[i * stride]; }
  K key_of_value(T value) const { return static_cast<K>(key_of(value) ^ (descending ? ~K{0} : K{0})); }
  K key(int64_t i) const { return key_of_value(at(i)); }
  Item<K> item(int64_t i) const { return {key(i), static_cast<int32_t>(i)}; }
  // The element of an item. Only zeros and NaN cannot be restored from their keys; the index is wrong if memory was
  // changed meanwhile.
  T value(const Item<K>& item) const {
    constexpr K kTop = K{1} << (8 * sizeof(K) - 1);
    const K key = descending ? static_cast<K>(~item.key) : item.key;
    if constexpr (std::is_floating_point_v<T>) {
      if (key == kTop || key == static_cast<K>(~K{0}))
        return static_cast<uint32_t>(item.index) < static_cast<uint64_t>(size) ? at(item.index) : T(0);
      const K bits = key & kTop ? key ^ kTop : static_cast<K>(~key);
      T value;
      std::memcpy(&value, &bits, sizeof value);
      return value;
    } else {
      return static_cast<T>(std::is_signed_v<T> ? key ^ kTop : key);
    }
  }
  // Whether any element of [start, end) may come before the value `last`; NaN may.
  bool any_before(T last, int64_t start, int64_t end) const {
    if (stride != 1) return true;
    bool any = false;
    if (descending)
      for (int64_t i = start; i < end; i++) any |= !(data[i] <= last);
    else
      for (int64_t i = start; i < end; i++) any |= !(data[i] >= last);
    return any;
  }
};

template <class K>
int bits_of(K range) {
  return range == 0 ? 0 : 64 - __builtin_clzll(range);
}

}  // namespace nabla
