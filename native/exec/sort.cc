#include "exec/sort.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#include "exec/axis.h"
#include "exec/tuning.h"
#include "runtime/memory.h"
#include "runtime/pool.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";

// An unsigned number in the order of the values: -0 is 0, NaN above everything.
template <class T>
auto key_of(T value) {
  using K = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
  constexpr K kTop = K{1} << (8 * sizeof(K) - 1);
  if constexpr (std::is_floating_point_v<T>) {
    if (value != value) return static_cast<K>(~K{0});
    if (value == 0) return kTop;
    K bits;
    std::memcpy(&bits, &value, sizeof bits);
    return static_cast<K>(bits & kTop ? ~bits : bits | kTop);
  } else {
    return static_cast<K>(std::is_signed_v<T> ? static_cast<K>(value) ^ kTop : static_cast<K>(value));
  }
}

// Whatever byte a bool holds is a number.
template <class T>
using Stored = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;

template <class K>
struct Item {
  K key;
  int32_t index;
};

template <class K>
void insertion_sort(Item<K>* items, int64_t n) {
  for (int64_t i = 1; i < n; i++) {
    const Item<K> item = items[i];
    int64_t j = i;
    for (; j > 0 && items[j - 1].key > item.key; j--) items[j] = items[j - 1];
    items[j] = item;
  }
}

// By bytes from the lowest; returns the one of the two buffers in which the order ends up.
template <class K>
Item<K>* sorted(Item<K>* items, Item<K>* spare, int64_t n) {
  if (n <= 32) {
    insertion_sort(items, n);
    return items;
  }
  int64_t counts[sizeof(K)][256] = {};
  auto digit = [](K key, size_t place) { return static_cast<size_t>(key >> (8 * place) & 255); };
  for (int64_t i = 0; i < n; i++)
    for (size_t place = 0; place < sizeof(K); place++) counts[place][digit(items[i].key, place)]++;
  for (size_t place = 0; place < sizeof(K); place++) {
    int64_t* count = counts[place];
    if (count[digit(items[0].key, place)] == n) continue;
    int64_t before = 0;
    for (int b = 0; b < 256; b++) before += std::exchange(count[b], before);
    for (int64_t i = 0; i < n; i++) spare[count[digit(items[i].key, place)]++] = items[i];
    std::swap(items, spare);
  }
  return items;
}

// Leaves the k first of the order in front, in order of their indices. `keys` has room for n.
template <class K>
void select(Item<K>* items, K* keys, int64_t n, int64_t k) {
  for (int64_t i = 0; i < n; i++) keys[i] = items[i].key;
  std::nth_element(keys, keys + (k - 1), keys + n);
  const K last = keys[k - 1];
  int64_t equals = k;
  for (int64_t i = 0; i < n; i++) equals -= items[i].key < last;
  int64_t kept = 0;
  for (int64_t i = 0; i < n; i++)
    if (items[i].key < last || (items[i].key == last && equals-- > 0)) items[kept++] = items[i];
}

template <class T>
Status order(const View& out, const View& x, const Cut& from, int64_t k, bool descending) {
  using K = decltype(key_of(Stored<T>()));
  const int64_t n = from.size, rows = from.outer * from.inner, per_chunk = kRowsChunk / n + 1;
  std::atomic<bool> starved{false};
  parallel_for((rows + per_chunk - 1) / per_chunk, [&](int64_t chunk) {
    Temporary memory;
    auto* items = static_cast<Item<K>*>(memory.get(2 * n * static_cast<int64_t>(sizeof(Item<K>))));
    if (!items) {
      starved.store(true, std::memory_order_relaxed);
      return;
    }
    const int64_t end = (chunk + 1) * per_chunk < rows ? (chunk + 1) * per_chunk : rows;
    for (int64_t row = chunk * per_chunk; row < end; row++) {
      const int64_t o = row / from.inner, i = row % from.inner;
      const Stored<T>* source = x.as<Stored<T>>() + o * n * from.inner + i;
      for (int64_t j = 0; j < n; j++) {
        const K key = key_of(source[j * from.inner]);
        items[j] = {descending ? static_cast<K>(~key) : key, static_cast<int32_t>(j)};
      }
      if (k < n / 4) select(items, reinterpret_cast<K*>(items + n), n, k);
      const Item<K>* result = sorted(items, items + n, k < n / 4 ? k : n);
      int32_t* target = out.as<int32_t>() + o * k * from.inner + i;
      for (int64_t j = 0; j < k; j++) target[j * from.inner] = result[j].index;
    }
  });
  return starved ? fail(Code::MEMORY, "out of memory") : Status{};
}

// In the order of the keys, without making one.
template <class T>
bool less(T a, T b) {
  return (a < b) | ((b != b) & (a == a));
}

template <class T>
void search(const View& out, const View& in, const View& values, int64_t n, int64_t m, bool right) {
  const int64_t total = values.numel();
  int64_t rows = 1;
  for (int d = 0; d < in.rank - 1; d++) rows *= in.dims[d];
  const Stored<T>* x = values.as<Stored<T>>();
  parallel_for((total + kRowsChunk - 1) / kRowsChunk, [&](int64_t chunk) {
    const int64_t end = (chunk + 1) * kRowsChunk < total ? (chunk + 1) * kRowsChunk : total;
    for (int64_t i = chunk * kRowsChunk; i < end; i++) {
      const Stored<T>* row = in.as<Stored<T>>() + i / m % rows * n;
      const Stored<T> value = x[i];
      int64_t low = 0;
      for (int64_t left = n; left > 0;) {
        const int64_t half = left / 2;
        const Stored<T> at = row[low + half];
        const bool below = right ? !less(value, at) : less(at, value);
        low += below ? half + 1 : 0;
        left = below ? left - half - 1 : half;
      }
      out.as<int32_t>()[i] = static_cast<int32_t>(low);
    }
  });
}

}  // namespace

Status run_order(const Call& call) {
  if (call.n_out != 1 || call.n_in != 1 || call.n_attr != 2) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &x = call.in(0);
  Cut from, to;
  if (x.scalar || x.rank != out.rank || out.dtype != DType::I32 || !x.contiguous() || !out.contiguous() ||
      !cut(x, call.attrs[0], from) || !cut(out, call.attrs[0], to) || from.outer != to.outer ||
      from.inner != to.inner || to.size > from.size || from.size > INT32_MAX)
    return fail(Code::SHAPE, kOperands);
  if (out.numel() == 0) return {};
  Status status;
  with_type(x.dtype, [&](auto zero) { status = order<decltype(zero)>(out, x, from, to.size, call.attrs[1] != 0); });
  return status;
}

Status run_searchsorted(const Call& call) {
  if (call.n_out != 1 || call.n_in != 2 || call.n_attr != 1) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &in = call.in(0), &values = call.in(1);
  if (in.scalar || values.scalar || in.rank < 1 || in.dtype != values.dtype || out.dtype != DType::I32 ||
      !in.contiguous() || !values.contiguous() || !out.contiguous() || !same_shape(out, values) ||
      in.rank > values.rank || in.dims[in.rank - 1] > INT32_MAX)
    return fail(Code::SHAPE, kOperands);
  for (int d = 0; d < in.rank - 1; d++)
    if (in.dims[d] != values.dims[values.rank - in.rank + d]) return fail(Code::SHAPE, kOperands);
  if (out.numel() == 0) return {};
  const int64_t n = in.dims[in.rank - 1], m = values.dims[values.rank - 1];
  with_type(in.dtype, [&](auto zero) { search<decltype(zero)>(out, in, values, n, m, call.attrs[0] != 0); });
  return {};
}

}  // namespace nabla
