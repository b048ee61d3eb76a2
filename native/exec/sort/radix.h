// Orders one row by keys: stable radix sorts, and selection of the first few.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#include "exec/sort/keys.h"
#include "runtime/pool.h"
#include "runtime/workspace.h"

namespace nabla {

// The least and the greatest key.
template <class K>
struct Range {
  K low = std::numeric_limits<K>::max(), high = 0;
  void add(K key) {
    low = std::min(low, key);
    high = std::max(high, key);
  }
  int bits() const { return bits_of(static_cast<K>(high - low)); }
};

// Calls to(position, item) for all positions of the order of n items, which must fit the cache: a radix sort from the
// lowest digit of the keys minus the least key. `a` and `b` hold n items each, and are overwritten.
template <class K, class To>
void sort_in_cache(Item<K>* a, Item<K>* b, int64_t n, const To& to) {
  constexpr int kMaxWidth = 11, kMaxPasses = 8;
  Range<K> range;
  for (int64_t i = 0; i < n; i++) range.add(a[i].key);
  const K low = range.low;
  const int most = n < 4096 ? 8 : kMaxWidth, bits = range.bits(), passes = (bits + most - 1) / most;
  const int width = passes ? (bits + passes - 1) / passes : 0;
  const K mask = (K{1} << width) - 1;
  int32_t counts[kMaxPasses][1 << kMaxWidth];
  for (int pass = 0; pass < passes; pass++) std::memset(counts[pass], 0, sizeof(int32_t) << width);
  for (int64_t i = 0; i < n; i++) {
    K rest = static_cast<K>(a[i].key - low);
    for (int pass = 0; pass < passes; pass++, rest >>= width) counts[pass][rest & mask]++;
  }
  for (int pass = 0; pass < passes; pass++) {
    int32_t* const places = counts[pass];
    int32_t before = 0;
    for (K d = 0; d <= mask; d++) before += std::exchange(places[d], before);
    for (int64_t i = 0; i < n; i++) {
      const Item<K> item = a[i];
      b[places[static_cast<K>(item.key - low) >> (width * pass) & mask]++] = item;
    }
    std::swap(a, b);
  }
  for (int64_t i = 0; i < n; i++) to(i, a[i]);
}

constexpr int64_t kPiece = 1 << 16;

template <class K>
struct Items {
  const Item<K>* items;
  Item<K> operator()(int64_t i) const { return items[i]; }
};

// Any number of items: divides them by their highest digit into groups of about half a piece, which threads sort. Calls
// to(position, item) for positions [first, k), where the first item belongs at `first`. read(i) returns the items; `b`
// has room for n. False if out of memory.
template <class Read, class K, class To>
bool sort_groups(Workspace& workspace, int64_t n, const Read& read, Item<K>* b, int64_t first, int64_t k,
                 const To& to) {
  using I = Item<K>;
  constexpr int kTopBits = 12, kDigits = 1 << kTopBits;
  constexpr int64_t kMostGroups = 256, kAgain = 16 * kPiece;
  using Counts = int32_t[kDigits];
  // Parts are processed in pairs with separate counts, so that increments do not wait for each other.
  const int64_t pairs = std::min<int64_t>((n + kPiece - 1) / kPiece, 2 * thread_limit()), parts = 2 * pairs;
  const int64_t part = (n + parts - 1) / parts;
  Scratch tables(workspace), lists(workspace);
  auto* const counts = tables.get<Counts>(parts);
  // Two adjacent groups are larger than one group should be.
  const int64_t wanted = std::max(kPiece / 2, n / kMostGroups), room = 2 * (n / wanted) + 2;
  auto* const starts = lists.get<int64_t>(room + 1);
  if (!counts || !starts) return false;
  const auto each_item = [&](const auto& body) {
    parallel_for(pairs, [&](int64_t pair) {
      const int64_t p = 2 * pair, start = p * part, middle = std::min(n, start + part),
                    end = std::min(n, middle + part);
      int64_t i = start;
      for (; i + part < end; i++) {
        body(counts[p], i);
        body(counts[p + 1], i + part);
      }
      for (; i < middle; i++) body(counts[p], i);
    });
  };

  Range<K> ranges[64], range;
  const int64_t shares = std::min<int64_t>(pairs, 64);
  parallel_for(shares, [&](int64_t s) {
    Range<K> own;
    for (int64_t i = n * s / shares; i < n * (s + 1) / shares; i++) own.add(read(i).key);
    ranges[s] = own;
  });
  for (int64_t s = 0; s < shares; s++) {
    range.add(ranges[s].low);
    range.add(ranges[s].high);
  }
  const K low = range.low;
  const int shift = std::max(0, range.bits() - kTopBits);
  // Memory changed by other threads may be out of range.
  const auto digit = [=](K key) { return static_cast<int>(static_cast<K>(key - low) >> shift & (kDigits - 1)); };
  parallel_for(parts, [=](int64_t p) { std::memset(counts[p], 0, sizeof counts[p]); });
  each_item([=](Counts& count, int64_t i) { count[digit(read(i).key)]++; });

  int64_t total[kDigits] = {};
  for (int64_t p = 0; p < parts; p++)
    for (int d = 0; d < kDigits; d++) total[d] += counts[p][d];
  uint16_t group_of[kDigits];
  int64_t groups = 0, size = 0;
  starts[0] = 0;
  for (int d = 0; d < kDigits; d++) {
    if (size > 0 && size + total[d] > wanted) {
      starts[groups + 1] = starts[groups] + size;
      groups++;
      size = 0;
    }
    group_of[d] = static_cast<uint16_t>(groups);
    size += total[d];
  }
  starts[++groups] = n;
  // From here on the counts of a part are the positions of its items, by group.
  for (int64_t p = 0; p < parts; p++) {
    int64_t own = 0;
    for (int d = 0, g = 0; d < kDigits; d++) {
      const int32_t count = counts[p][d];
      if (group_of[d] != g) counts[p][g] = static_cast<int32_t>(std::exchange(own, 0)), g = group_of[d];
      own += count;
    }
    counts[p][groups - 1] = static_cast<int32_t>(own);
  }
  for (int64_t g = 0; g < groups; g++) {
    auto before = static_cast<int32_t>(starts[g]);
    for (int64_t p = 0; p < parts; p++) before += std::exchange(counts[p][g], before);
  }
  each_item([=, &group_of](Counts& count, int64_t i) {
    const I item = read(i);
    const int64_t place = count[group_of[digit(item.key)]]++;
    // Memory changed by other threads has other digits than were counted.
    if (__builtin_expect(place < n, 1)) b[place] = item;
  });

  std::atomic<bool> starved{false};
  const auto sort_group = [&](int64_t g, bool large) {
    const int64_t start = starts[g], count = starts[g + 1] - start;
    I* const items = b + start;
    if (first + start >= k || (count > kAgain) != large) return;
    Scratch memory(workspace);
    I* const other = memory.get<I>(count);
    if (!other || (large && shift > 0 && !sort_groups(workspace, count, Items<K>{items}, other, first + start, k, to)))
      starved.store(true, std::memory_order_relaxed);
    else if (!large || shift == 0)
      sort_in_cache(items, other, count, [&](int64_t place, const I& item) {
        if (first + start + place < k) to(first + start + place, item);
      });
  };
  for (int64_t g = 0; g < groups; g++) sort_group(g, true);
  parallel_for(groups, [&](int64_t g) { sort_group(g, false); });
  return !starved;
}

// Calls to(position, item) for the first k positions of the order. The elements of the row are contiguous.
template <class T, class To>
bool sort_row(Workspace& workspace, const Row<T>& row, int64_t k, const To& to) {
  using I = Item<typename Row<T>::K>;
  const auto read = [=, data = row.data](int64_t i) { return I{row.key_of_value(data[i]), static_cast<int32_t>(i)}; };
  const bool alone = row.size <= kPiece;
  Scratch memory(workspace);
  I* const items = memory.get<I>((alone ? 2 : 1) * row.size);
  if (!items) return false;
  if (!alone) return sort_groups(workspace, row.size, read, items, 0, k, to);
  for (int64_t i = 0; i < row.size; i++) items[i] = read(i);
  sort_in_cache(items, items + row.size, row.size, [&](int64_t place, const I& item) {
    if (place < k) to(place, item);
  });
  return true;
}

// Calls to(position, item) for the first k positions of the order; skips items that cannot be among them.
template <class T, class To>
bool select_first(Workspace& workspace, const Row<T>& row, int64_t k, const To& to) {
  using I = Item<typename Row<T>::K>;
  constexpr int64_t kStep = 64;
  const int64_t room = 2 * k + 1024;
  Scratch memory(workspace);
  I* found = memory.get<I>(room + kStep);
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
  for (int64_t i = 0; i < k; i++) to(i, found[i]);
  return true;
}

}  // namespace nabla
