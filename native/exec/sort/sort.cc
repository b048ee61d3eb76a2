#include "exec/sort/sort.h"

#include <algorithm>
#include <atomic>

#include "exec/common/axis.h"
#include "exec/common/tuning.h"
#include "exec/sort/radix.h"
#include "exec/sort/short.h"
#include "kernels/table.h"
#include "runtime/pool.h"
#include "runtime/workspace.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";

// A bool may hold any byte, so it is compared as a number.
template <class T>
using Stored = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;

constexpr int64_t kLeastSelection = 32;  // shorter rows are sorted, however few of their elements are wanted

// The results of one row.
template <class T>
struct Sorted {
  Row<T> row;
  int64_t stride;
  int32_t* indices;
  T* values;  // nullptr where only indices are wanted
  void operator()(int64_t place, const Item<typename Row<T>::K>& item) const {
    indices[place * stride] = item.index;
    if (values) values[place * stride] = row.value(item);
  }
  void take(int64_t place, int32_t index) const {
    indices[place * stride] = index;
    if (values) values[place * stride] = row.at(index);
  }
};

// The rows of one call: [outer, size, inner] becomes [outer, k, inner].
template <class T>
struct Order {
  Workspace& workspace;
  const T* x;
  int32_t* indices;
  T* values;
  Cut from;
  int64_t k;
  bool descending;

  Row<T> row(int64_t r) const {
    return {x + r / from.inner * from.size * from.inner + r % from.inner, from.inner, from.size, descending};
  }
  Sorted<T> to(int64_t r) const {
    const int64_t at = r / from.inner * k * from.inner + r % from.inner;
    return {row(r), from.inner, indices + at, values ? values + at : nullptr};
  }
  // Rows [start, end), sorted side by side.
  bool short_rows(int64_t start, int64_t end) const {
    const SortTable& table = kernels().sort;
    Scratch memory(workspace);
    auto* const items = memory.get<int32_t>(from.size * table.lanes);
    if (!items) return false;
    for (; start < end; start += table.lanes) {
      ShortRow<T> lanes[kMaxSortLanes];
      const int count = static_cast<int>(std::min<int64_t>(table.lanes, end - start));
      for (int lane = 0; lane < table.lanes; lane++)
        lanes[lane] = ShortRow<T>(row(start + std::min(lane, count - 1)), items, table.lanes, lane);
      table.sort_lanes(items, from.size);
      for (int lane = 0; lane < count; lane++)
        if (!lanes[lane].finish(k, to(start + lane)) && !sort_all(start + lane)) return false;
    }
    return true;
  }
  bool long_rows(int64_t start, int64_t end) const {
    bool done = true;
    for (; done && start < end; start++)
      done = k < from.size / 4 ? select_first(workspace, row(start), k, to(start)) : sort_all(start);
    return done;
  }
  bool sort_all(int64_t r) const {
    Row<T> x = row(r);
    Sorted<T> sorted = to(r);
    Scratch memory(workspace);
    if (x.stride != 1) {
      auto* const side_by_side = memory.get<T>(x.size);
      if (!side_by_side) return false;
      for (int64_t i = 0; i < x.size; i++) side_by_side[i] = x.at(i);
      x.data = side_by_side;
      x.stride = 1;
      sorted.row = x;
    }
    return sort_row(workspace, x, k, sorted);
  }
};

template <class T>
Status order(const Order<T>& o) {
  const int64_t n = o.from.size, rows = o.from.outer * o.from.inner;
  const bool side_by_side = n <= kShortRow && (n <= kLeastSelection || o.k >= n / 4);
  // Long rows are sorted one after the other; threads share each.
  const int64_t some = (kRowsChunk / n / kMaxSortLanes + 1) * kMaxSortLanes;
  const int64_t per_chunk = n >= 2 * kPiece ? rows : side_by_side ? some : kRowsChunk / n + 1;
  std::atomic<bool> starved{false};
  parallel_for((rows + per_chunk - 1) / per_chunk, [&](int64_t chunk) {
    const int64_t start = chunk * per_chunk, end = std::min(rows, start + per_chunk);
    if (!(side_by_side ? o.short_rows(start, end) : o.long_rows(start, end)))
      starved.store(true, std::memory_order_relaxed);
  });
  return starved ? out_of_memory() : Status{};
}

// Compares like keys, without computing them.
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
  if (call.n_out < 1 || call.n_out > 2 || call.n_in != 1 || call.n_attr != 2) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &x = call.in(0), *values = call.n_out == 2 ? &call.out(1) : nullptr;
  Cut from, to;
  if (x.scalar || x.rank != out.rank || out.dtype != DType::I32 || !x.contiguous() || !out.contiguous() ||
      !cut(x, call.attrs[0], from) || !cut(out, call.attrs[0], to) || from.outer != to.outer ||
      from.inner != to.inner || to.size > from.size || from.size > INT32_MAX ||
      (values && (values->dtype != x.dtype || !values->contiguous() || !same_shape(*values, out))))
    return fail(Code::SHAPE, kOperands);
  if (out.numel() == 0) return {};
  Status status;
  with_type(x.dtype, [&](auto zero) {
    using T = Stored<decltype(zero)>;
    status = order(Order<T>{call.workspace, x.as<T>(), out.as<int32_t>(), values ? values->as<T>() : nullptr, from,
                            to.size, call.attrs[1] != 0});
  });
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
