// Orders of one row by keys: a stable radix sort, and a selection of the first few.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "runtime/memory.h"
#include "runtime/pool.h"

namespace nabla {

// An unsigned number in the order of the values: -0 is 0, NaN above everything.
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

// The elements of a row, with the keys of the order that is wanted.
template <class T>
struct Row {
  using K = decltype(key_of(T()));
  const T* data;
  int64_t stride, size;
  bool descending;
  K key(int64_t i) const {
    const K key = key_of(data[i * stride]);
    return descending ? static_cast<K>(~key) : key;
  }
  Item<K> item(int64_t i) const { return {key(i), static_cast<int32_t>(i)}; }
  // Whether any of [start, end) may come before an element of value `last`; unordered ones may.
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

// to(place, index) for the first k places of the order, by digits of 8 bits from the lowest. The row is cut into
// `parts` pieces for threads to share; digits that are the same in all keys cost no pass.
template <class T, class To>
bool radix_sort(const Row<T>& row, int64_t k, int64_t parts, const To& to) {
  using I = Item<typename Row<T>::K>;
  constexpr int kPasses = sizeof(T), kDigits = 256;
  using Counts = int32_t[kPasses][kDigits];
  const int64_t n = row.size, part = (n + parts - 1) / parts;
  Temporary items, tables;
  I* a = static_cast<I*>(items.get(2 * n * static_cast<int64_t>(sizeof(I))));
  Counts* counts = static_cast<Counts*>(tables.get(parts * static_cast<int64_t>(sizeof(Counts))));
  if (!a || !counts) return false;
  I* b = a + n;
  const auto digit = [](typename Row<T>::K key, int pass) { return static_cast<int>(key >> (8 * pass) & 255); };
  const auto each_part = [&](const auto& body) {
    parallel_for(parts, [&](int64_t p) { body(counts[p], p * part, std::min(n, (p + 1) * part)); });
  };

  each_part([=](Counts& count, int64_t start, int64_t end) {
    std::memset(count, 0, sizeof count);
    for (int64_t i = start; i < end; i++) {
      const auto key = row.key(i);
      for (int pass = 0; pass < kPasses; pass++) count[pass][digit(key, pass)]++;
    }
  });
  int moving[kPasses], moves = 0;
  for (int pass = 0; pass < kPasses; pass++) {
    int64_t same = 0;
    for (int64_t p = 0; p < parts; p++) same += counts[p][pass][digit(row.key(0), pass)];
    if (same < n) moving[moves++] = pass;
  }
  for (int move = 0; move < moves; move++) {
    const int pass = moving[move];
    if (move > 0 && parts > 1) {
      each_part([=](Counts& count, int64_t start, int64_t end) {
        std::memset(count[pass], 0, sizeof count[pass]);
        for (int64_t i = start; i < end; i++) count[pass][digit(a[i].key, pass)]++;
      });
    }
    int32_t before = 0;
    for (int d = 0; d < kDigits; d++)
      for (int64_t p = 0; p < parts; p++) before += std::exchange(counts[p][pass][d], before);
    const auto scatter = [&](const auto& from, const auto& put) {
      each_part([=](Counts& count, int64_t start, int64_t end) {
        for (int64_t i = start; i < end; i++) {
          const I item = from(i);
          const int64_t place = count[pass][digit(item.key, pass)]++;
          // Memory that changes meanwhile has other digits than were counted.
          if (__builtin_expect(place < n, 1)) put(place, item);
        }
      });
    };
    const auto read = [=](int64_t i) { return row.item(i); };
    const auto again = [=](int64_t i) { return a[i]; };
    const auto keep = [=](int64_t place, const I& item) { b[place] = item; };
    const auto end = [=](int64_t place, const I& item) {
      if (place < k) to(place, item.index);
    };
    const bool first = move == 0, last = move + 1 == moves;
    if (first && last) scatter(read, end);
    if (first && !last) scatter(read, keep);
    if (!first && !last) scatter(again, keep);
    if (!first && last) scatter(again, end);
    std::swap(a, b);
  }
  if (moves == 0)
    for (int64_t i = 0; i < k; i++) to(i, static_cast<int32_t>(i));
  return true;
}

// to(place, index) for the first k places of the order: what cannot be among them any more is passed over.
template <class T, class To>
bool select_first(const Row<T>& row, int64_t k, const To& to) {
  using I = Item<typename Row<T>::K>;
  constexpr int64_t kStep = 64;
  const int64_t room = 2 * k + 1024;
  Temporary memory;
  I* found = static_cast<I*>(memory.get((room + kStep) * static_cast<int64_t>(sizeof(I))));
  if (!found) return false;
  int64_t count = 0;
  auto last = std::numeric_limits<typename Row<T>::K>::max();
  T value{};
  bool full = false;  // k are found, and only keys below `last` may take the place of one of them
  for (int64_t start = 0; start < row.size; start += kStep) {
    const int64_t end = std::min(row.size, start + kStep);
    if (full && !row.any_before(value, start, end)) continue;
    for (int64_t i = start; i < end; i++) {
      found[count] = row.item(i);
      count += !full || found[count].key < last;
    }
    if (count < room) continue;
    std::nth_element(found, found + (k - 1), found + count);
    last = found[k - 1].key;
    value = row.data[found[k - 1].index * row.stride];
    full = true;
    count = k;
  }
  if (k < count) std::nth_element(found, found + k, found + count);
  std::sort(found, found + k);
  for (int64_t i = 0; i < k; i++) to(i, found[i].index);
  return true;
}

}  // namespace nabla
