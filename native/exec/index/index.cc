#include "exec/index/index.h"

#include <atomic>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "exec/common/axis.h"
#include "exec/common/tuning.h"
#include "exec/common/walk.h"
#include "exec/elementwise/elementwise.h"
#include "runtime/pool.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";
constexpr const char* kOutOfRange = "an index is out of range";

bool is_index(const View& v) {
  return !v.scalar && v.dtype != DType::BOOL && !is_float(v.dtype) && !is_half(v.dtype) && v.contiguous();
}

int64_t index_at(const View& v, int64_t i) {
  switch (v.dtype) {
    case DType::I32: return v.as<int32_t>()[i];
    case DType::I64: return v.as<int64_t>()[i];
    default: return v.as<uint8_t>()[i];
  }
}

// The indices into a dimension; negative ones count from its end, where they are allowed.
struct Range {
  int64_t size, low;

  Range(int64_t size, double from_end) : size(size), low(from_end != 0 ? -size : 0) {}
  bool holds(int64_t index) const { return index >= low && index < size; }
};

// Reads each index once, so that what is checked is what is used.
bool wrap(int64_t& index, Range range) {
  const bool held = range.holds(index);
  if (index < 0) index += range.size;
  return held;
}

// Calls f(indices) with a pointer of their type.
template <class F>
auto with_indices(const View& v, const F& f) {
  switch (v.dtype) {
    case DType::I32: return f(v.as<int32_t>());
    case DType::I64: return f(v.as<int64_t>());
    default: return f(v.as<uint8_t>());
  }
}

Status first_bad_index(const View& index, Range range, int32_t operand) {
  int64_t n = index.numel();
  const bool good = with_indices(index, [=](const auto* at) {
    int bad = 0;
    for (int64_t i = 0; i < n; i++)
      bad |= (static_cast<int64_t>(at[i]) < range.low) | (static_cast<int64_t>(at[i]) >= range.size);
    return !bad;
  });
  if (good) return {};
  for (int64_t i = 0; i < n; i++) {
    const int64_t at = index_at(index, i);
    if (!range.holds(at)) return fail(Code::INDEX, kOutOfRange, operand, at);
  }
  return {};
}

// After a kernel that has met an index out of range.
Status refuse_index(const View& index, Range range, int32_t operand) {
  const Status first = first_bad_index(index, range, operand);
  return first.ok() ? fail(Code::INDEX, kOutOfRange, operand) : first;
}

template <class T>
void add_to(T& a, T b) {
  if constexpr (std::is_same_v<T, bool>)
    a = a || b;
  else
    a = static_cast<T>(a + b);
}

// Along the last dimension. Rows are independent: threads share them, and each thread initializes its own.
Status scatter_rows(const View& out, const View& x, const View& index, const View& source, Range range, bool add) {
  const int64_t size = range.size, n = source.dims[out.rank - 1], rows = source.numel() / n;
  bool one_number = true;
  for (int d = 0; d < x.rank; d++) one_number = one_number && (x.strides[d] == 0 || x.dims[d] == 1);
  const bool by_row = x.dtype == out.dtype && !x.scalar && same_shape(x, out) && (one_number || x.contiguous());
  if (!by_row) NABLA_TRY(copy(out, x));
  std::atomic<bool> bad{false};
  with_type(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    const T number = by_row ? x.as<T>()[0] : T();
    const int64_t together = kElementwiseChunk / (n + size) + 1;
    parallel_for((rows + together - 1) / together, [&](int64_t chunk) {
      const int64_t end = (chunk + 1) * together < rows ? (chunk + 1) * together : rows;
      bool outside = false;
      for (int64_t r = chunk * together; r < end; r++) {
        T* target = out.as<T>() + r * size;
        const T* values = source.as<T>() + r * n;
        if (by_row && one_number)
          for (int64_t i = 0; i < size; i++) target[i] = number;
        else if (by_row)
          std::memmove(target, x.as<T>() + r * size, static_cast<size_t>(size) * sizeof(T));
        with_indices(index, [&](const auto* indices) {
          const auto* row = indices + r * n;
          for (int64_t i = 0; i < n; i++) {
            int64_t at = row[i];
            if (!wrap(at, range)) {
              outside = true;
              continue;
            }
            if (add)
              add_to(target[at], values[i]);
            else
              target[at] = values[i];
          }
        });
      }
      if (outside) bad.store(true, std::memory_order_relaxed);
    });
  });
  return bad.load() ? refuse_index(index, range, 2) : Status{};
}

}  // namespace

Status run_index_select(const Call& call) {
  if (call.n_out != 1 || call.n_in != 2 || call.n_attr != 2) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &x = call.in(0), &index = call.in(1);
  Cut to, from;
  if (x.scalar || x.rank != out.rank || x.dtype != out.dtype || !x.contiguous() || !out.contiguous() ||
      !is_index(index) || index.rank != 1 || !cut(out, call.attrs[0], to) || !cut(x, call.attrs[0], from) ||
      to.outer != from.outer || to.inner != from.inner || to.size != index.dims[0])
    return fail(Code::SHAPE, kOperands);
  const Range range(from.size, call.attrs[1]);
  NABLA_TRY(first_bad_index(index, range, 2));
  const int64_t bytes = to.inner * static_cast<int64_t>(size_of(x.dtype));
  if (bytes == 0) return {};
  const char* source = x.as<char>();
  char* target = out.as<char>();
  int64_t rows = to.outer * to.size;
  int64_t per_chunk = kElementwiseChunk * 4 / bytes + 1;
  parallel_for((rows + per_chunk - 1) / per_chunk, [&](int64_t chunk) {
    int64_t end = (chunk + 1) * per_chunk < rows ? (chunk + 1) * per_chunk : rows;
    for (int64_t r = chunk * per_chunk; r < end; r++) {
      int64_t at = index_at(index, r % to.size);
      if (wrap(at, range)) std::memcpy(target + r * bytes, source + (r / to.size * from.size + at) * bytes, bytes);
    }
  });
  return {};
}

Status run_index_add(const Call& call) {
  if (call.n_out != 1 || call.n_in != 3 || call.n_attr != 2) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &x = call.in(0), &index = call.in(1), &source = call.in(2);
  Cut to, from;
  if (source.scalar || source.rank != out.rank || source.dtype != out.dtype || !source.contiguous() ||
      !out.contiguous() || !is_index(index) || index.rank != 1 || !cut(out, call.attrs[0], to) ||
      !cut(source, call.attrs[0], from) || to.outer != from.outer || to.inner != from.inner ||
      from.size != index.dims[0])
    return fail(Code::SHAPE, kOperands);
  const Range range(to.size, call.attrs[1]);
  NABLA_TRY(first_bad_index(index, range, 2));
  NABLA_TRY(copy(out, x));
  with_type(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    // Repeated indices accumulate in order; threads share the inner dimension.
    parallel_for(to.outer, [&](int64_t o) {
      for (int64_t j = 0; j < from.size; j++) {
        int64_t at = index_at(index, j);
        if (!wrap(at, range)) continue;
        T* target = out.as<T>() + (o * to.size + at) * to.inner;
        const T* row = source.as<T>() + (o * from.size + j) * from.inner;
        for (int64_t i = 0; i < to.inner; i++) add_to(target[i], row[i]);
      }
    });
  });
  return {};
}

Status run_gather(const Call& call) {
  if (call.n_out != 1 || call.n_in != 2 || call.n_attr != 2) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &x = call.in(0), &index = call.in(1);
  Cut to, from;
  if (x.scalar || x.rank != out.rank || x.dtype != out.dtype || !out.contiguous() || !is_index(index) ||
      !same_shape(index, out) || !cut(out, call.attrs[0], to) || !cut(x, call.attrs[0], from))
    return fail(Code::SHAPE, kOperands);
  int dim = static_cast<int>(call.attrs[0]);
  for (int d = 0; d < x.rank; d++)
    if (d != dim && out.dims[d] > x.dims[d]) return fail(Code::SHAPE, "the index is larger than the input", 2);
  const Range range(from.size, call.attrs[1]);
  int64_t total = out.numel();
  if (from.size == 0 && total > 0) return refuse_index(index, range, 2);
  std::atomic<bool> bad{false};
  with_stored_type(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    parallel_for((total + kElementwiseChunk - 1) / kElementwiseChunk, [&](int64_t chunk) {
      int64_t end = (chunk + 1) * kElementwiseChunk < total ? (chunk + 1) * kElementwiseChunk : total;
      Walk walk(out, x, dim, chunk * kElementwiseChunk);
      const int64_t along = x.strides[dim], step = walk.step();
      bool outside = false;
      for (int64_t i = chunk * kElementwiseChunk, run; i < end; i += run, walk.advance(run)) {
        run = walk.left() < end - i ? walk.left() : end - i;
        const T* source = x.as<T>() + walk.offset();
        T* target = out.as<T>() + i;
        with_indices(index, [&, n = run](const auto* indices) {
          for (int64_t j = 0; j < n; j++) {
            int64_t at = indices[i + j];
            const bool held = wrap(at, range);
            outside |= !held;
            target[j] = source[j * step + (held ? at : 0) * along];
          }
        });
      }
      if (outside) bad.store(true, std::memory_order_relaxed);
    });
  });
  return bad.load() ? refuse_index(index, range, 2) : Status{};
}

Status run_scatter(const Call& call) {
  if (call.n_out != 1 || call.n_in != 3 || call.n_attr != 3) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &x = call.in(0), &index = call.in(1), &source = call.in(2);
  Cut to;
  if (source.rank != out.rank || source.dtype != out.dtype || source.scalar || !out.contiguous() || !is_index(index) ||
      !same_shape(index, source) || !cut(out, call.attrs[0], to))
    return fail(Code::SHAPE, kOperands);
  int dim = static_cast<int>(call.attrs[0]);
  const Range range(to.size, call.attrs[1]);
  bool add = call.attrs[2] != 0, whole_rows = dim == out.rank - 1 && source.contiguous();
  for (int d = 0; d < out.rank; d++) {
    if (d != dim && source.dims[d] > out.dims[d]) return fail(Code::SHAPE, "the source is larger than the result", 3);
    whole_rows = whole_rows && (d == dim || source.dims[d] == out.dims[d]);
  }
  int64_t total = source.numel();
  if (whole_rows && total > 0 && to.size > 0) return scatter_rows(out, x, index, source, range, add);
  NABLA_TRY(first_bad_index(index, range, 2));
  NABLA_TRY(copy(out, x));
  with_type(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    // Sequential: with repeated indices the last one wins, or all accumulate in order.
    if (total == 0) return;
    Walk walk(source, out, dim, 0), sources(source, source, -1, 0);
    for (int64_t i = 0; i < total; i++, walk.next(), sources.next()) {
      int64_t at = index_at(index, i);
      if (!wrap(at, range)) at = 0;
      T& target = out.as<T>()[walk.offset() + at * out.strides[dim]];
      const T value = source.as<T>()[sources.offset()];
      if (add)
        add_to(target, value);
      else
        target = value;
    }
  });
  return {};
}

Status run_cat(const Call& call) {
  if (call.n_out != 1 || call.n_attr != 1) return fail(Code::NATIVE, kOperands);
  const View& out = call.out();
  if (!(call.attrs[0] >= 0 && call.attrs[0] < out.rank)) return fail(Code::SHAPE, kOperands);
  int dim = static_cast<int>(call.attrs[0]);
  int64_t at = 0;
  for (int i = 0; i < call.n_in; i++) {
    const View& x = call.in(i);
    if (x.rank != out.rank || x.scalar) return fail(Code::SHAPE, kOperands);
    for (int d = 0; d < out.rank; d++)
      if (d != dim && x.dims[d] != out.dims[d]) return fail(Code::SHAPE, kOperands);
    if (x.dims[dim] > out.dims[dim] - at) return fail(Code::SHAPE, kOperands);
    View part = out;
    part.dims[dim] = x.dims[dim];
    part.data = out.as<char>() + at * out.strides[dim] * static_cast<int64_t>(size_of(out.dtype));
    NABLA_TRY(copy(part, x));
    at += x.dims[dim];
  }
  return at == out.dims[dim] ? Status{} : fail(Code::SHAPE, kOperands);
}

Status run_embed(const Call& call) {
  if (call.n_out != 1 || call.n_in != 1 || call.n_attr != 3) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &x = call.in(0);
  double dim = call.attrs[0], start = call.attrs[1], step = call.attrs[2];
  if (!(dim >= 0 && dim < out.rank) || x.rank != out.rank || x.dtype != out.dtype || x.scalar || !out.contiguous())
    return fail(Code::SHAPE, kOperands);
  int d = static_cast<int>(dim);
  for (int i = 0; i < out.rank; i++)
    if (i != d && x.dims[i] != out.dims[i]) return fail(Code::SHAPE, kOperands);
  double size = static_cast<double>(out.dims[d]), last = start + step * static_cast<double>(x.dims[d] - 1);
  std::memset(out.data, 0, static_cast<size_t>(out.numel()) * size_of(out.dtype));
  if (x.numel() == 0) return {};
  if (!(start >= 0 && start < size && last >= 0 && last < size)) return fail(Code::INDEX, kOutOfRange, 1);
  View part = out;
  part.dims[d] = x.dims[d];
  part.data = out.as<char>() + static_cast<int64_t>(start) * out.strides[d] * static_cast<int64_t>(size_of(out.dtype));
  part.strides[d] = out.strides[d] * static_cast<int64_t>(step);
  return copy(part, x);
}

Status run_empty(const Call& call) {
  return call.n_out == 1 && call.n_in == 0 && call.n_attr == 0 ? Status{} : fail(Code::NATIVE, kOperands);
}

Status run_arange(const Call& call) {
  if (call.n_out != 1 || call.n_in != 0 || call.n_attr != 2) return fail(Code::NATIVE, kOperands);
  const View& out = call.out();
  if (out.rank != 1 || !out.contiguous()) return fail(Code::SHAPE, kOperands);
  double start = call.attrs[0], step = call.attrs[1];
  const auto integer = [](double x) { return x >= -0x1p63 && x < 0x1p63 && x == std::floor(x); };
  if (!is_float(out.dtype) && !(integer(start) && integer(step)))
    return fail(Code::ARGUMENT, "start and step must be integers");
  with_type(out.dtype, [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < out.dims[0]; i++) {
      if constexpr (std::is_floating_point_v<T>)
        out.as<T>()[i] = static_cast<T>(start + static_cast<double>(i) * step);
      else
        out.as<T>()[i] = static_cast<T>(static_cast<uint64_t>(static_cast<int64_t>(start)) +
                                        static_cast<uint64_t>(i) * static_cast<uint64_t>(static_cast<int64_t>(step)));
    }
  });
  return {};
}

}  // namespace nabla
