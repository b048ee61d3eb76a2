#include "exec/sort.h"

#include <algorithm>
#include <atomic>

#include "exec/axis.h"
#include "exec/radix.h"
#include "exec/tuning.h"
#include "runtime/pool.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";

// Whatever byte a bool holds is a number.
template <class T>
using Stored = std::conditional_t<std::is_same_v<T, bool>, uint8_t, T>;

// From this length on a row is shared out among threads, in pieces of this length. There is one right order, so that
// here the number of threads may say how it is found.
constexpr int64_t kPiece = 1 << 16;

template <class T, class To>
bool order_row(const Row<T>& row, int64_t k, const To& to) {
  if (k < row.size / 4) return select_first(row, k, to);
  return radix_sort(row, k, thread_limit() > 1 ? (row.size + kPiece - 1) / kPiece : 1, to);
}

template <class T>
Status order(const View& out, const View& x, const Cut& from, int64_t k, bool descending) {
  const int64_t n = from.size, rows = from.outer * from.inner;
  const int64_t per_chunk = n >= 2 * kPiece ? rows : kRowsChunk / n + 1;  // long rows: threads share each of them
  std::atomic<bool> starved{false};
  parallel_for((rows + per_chunk - 1) / per_chunk, [&](int64_t chunk) {
    const int64_t end = (chunk + 1) * per_chunk < rows ? (chunk + 1) * per_chunk : rows;
    for (int64_t row = chunk * per_chunk; row < end; row++) {
      const int64_t o = row / from.inner, i = row % from.inner;
      int32_t* const target = out.as<int32_t>() + o * k * from.inner + i;
      const Row<T> source{x.as<T>() + o * n * from.inner + i, from.inner, n, descending};
      if (!order_row(source, k,
                     [=, stride = from.inner](int64_t place, int32_t index) { target[place * stride] = index; }))
        starved.store(true, std::memory_order_relaxed);
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
  with_type(x.dtype,
            [&](auto zero) { status = order<Stored<decltype(zero)>>(out, x, from, to.size, call.attrs[1] != 0); });
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
