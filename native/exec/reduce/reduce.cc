#include "exec/reduce/reduce.h"

#include <algorithm>
#include <atomic>
#include <limits>

#include "exec/common/dense_like.h"
#include "exec/common/halves.h"
#include "exec/common/range.h"
#include "exec/common/tuning.h"
#include "exec/elementwise/elementwise.h"
#include "exec/reduce/product.h"
#include "exec/reduce/scaled_again.h"
#include "kernels/list.h"
#include "kernels/table.h"
#include "runtime/pool.h"
#include "runtime/workspace.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";
constexpr const char* kNoDType = "the op is not defined for this dtype";

// Where a pass writes: the partials of a leaf, for the next pass, or the results.
struct Target {
  char* out;
  int64_t size;  // of an element there
  bool partials;
  double divisor;
  Range* range;  // or null
};

// [outer, n] -> [outer]. A long row is split into parts that are whole subtrees of the fixed summation tree.
Status reduce_rows(Workspace& workspace, const ReduceLeaf& leaf, const Target& to, const Source& x, int64_t outer,
                   int64_t n) {
  if (n <= kReduceChunk) {
    int64_t rows = kReduceChunk / (n > 0 ? n : 1) + 1;
    const bool plain = !to.partials && to.divisor == 1;
    std::atomic<bool> starved{false};
    parallel_for(ceil_div(outer, rows), [&](int64_t chunk) {
      const Range::Watch watch(to.range);
      int64_t first = chunk * rows, count = outer - first < rows ? outer - first : rows;
      char* out = to.out + first * to.size;
      Scratch tile(workspace), sums_memory(workspace);
      const char* from = x.read(tile, first * n, count * n);
      if (!from) return;
      if (plain) return leaf.rows(out, from, count, n, n);
      void* sums = to.partials ? out : sums_memory.get<char>(count * leaf.partial_size);
      if (!sums) return starved.store(true, std::memory_order_relaxed);
      leaf.sums(sums, from, count, n, n);
      if (!to.partials) leaf.store(out, sums, count, to.divisor);
    });
    return starved ? out_of_memory() : Status{};
  }
  int64_t parts = ceil_div(n, kReduceChunk), partial = kReduceLanes * leaf.partial_size;
  Scratch memory(workspace);
  char* partials = memory.get<char>(outer * parts * partial);
  if (!partials) return out_of_memory();
  parallel_for(outer * parts, [&](int64_t task) {
    const Range::Watch watch(to.range);
    int64_t start = task % parts * kReduceChunk, count = n - start < kReduceChunk ? n - start : kReduceChunk;
    Scratch tile(workspace);
    const char* from = x.read(tile, task / parts * n + start, count);
    if (from) leaf.row(partials + task * partial, from, count);
  });
  const Range::Watch watch(to.range);
  for (int64_t o = 0; o < outer; o++) {
    char* lanes = partials + o * parts * partial;
    leaf.tree(lanes, parts, kReduceLanes);
    leaf.fold(to.partials ? to.out + o * to.size : lanes, lanes);
    if (!to.partials) leaf.store(to.out + o * to.size, lanes, 1, to.divisor);
  }
  return {};
}

// [outer, n, inner] -> [outer, inner].
Status reduce_columns(Workspace& workspace, const ReduceLeaf& leaf, const Target& to, const Source& x, int64_t outer,
                      int64_t n, int64_t inner) {
  int64_t width = inner < kReduceColumns ? inner : kReduceColumns;
  int64_t bands = ceil_div(inner, width);
  int64_t part = kReduceRows;
  while (part * width < kReduceChunk) part *= 2;
  int64_t parts = n > part ? ceil_div(n, part) : 1;
  // A single part in the result's dtype, or for another pass, needs no buffer.
  const int64_t partial = leaf.partial_size;
  const bool in_place = parts == 1 && (leaf.partial_is_result || to.partials);
  Scratch memory(workspace);
  char* partials = in_place ? to.out : memory.get<char>(outer * parts * inner * partial);
  if (!partials) return out_of_memory();
  parallel_for(outer * parts * bands, [&](int64_t task) {
    const Range::Watch watch(to.range);
    int64_t band = task % bands * width, p = task / bands % parts, o = task / bands / parts;
    int64_t columns = inner - band < width ? inner - band : width;
    int64_t start = p * part, rows = parts == 1 ? n : (n - start < part ? n - start : part);
    int64_t stride = inner;
    Scratch tile(workspace);
    if (const char* from = x.read(tile, (o * n + start) * inner + band, rows, columns, stride))
      leaf.columns(partials + ((o * parts + p) * inner + band) * partial, from, rows, stride, columns);
  });
  if (in_place) {
    if (!to.partials && to.divisor != 1) leaf.store(to.out, to.out, outer * inner, to.divisor);
    return {};
  }
  const Range::Watch watch(to.range);
  for (int64_t o = 0; o < outer; o++) {
    char *first = partials + o * parts * inner * partial, *out = to.out + o * inner * to.size;
    leaf.tree(first, parts, inner);
    if (to.partials)
      __builtin_memcpy(out, first, static_cast<size_t>(inner * partial));
    else
      leaf.store(out, first, inner, to.divisor);
  }
  return {};
}

// The input in place if it is contiguous and of the dtype, else a converted copy.
const char* laid_out(const View& x, DType type, Scratch& memory, Status& status) {
  if (x.dtype == type && x.contiguous()) return x.as<char>();
  const View dense = dense_like(x, type, memory);
  status = dense.data ? copy(dense, x) : out_of_memory();
  return dense.as<char>();
}

// What the results are divided by before they are rounded.
double divisor_of(const Call& call) { return call.n_attr > 1 ? call.attrs[1] : 1; }

Status reduce(const Call& call, int kernel, Range* range = nullptr) {
  if (call.n_out != 1 || call.n_in != 1 || call.n_attr < 1 || call.n_attr > 2) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &x = call.in(0);
  if (!(call.attrs[0] >= 0 && call.attrs[0] < 1 << kMaxRank) || !out.contiguous()) return fail(Code::NATIVE, kOperands);
  const int mask = static_cast<int>(call.attrs[0]);
  const ReduceLeaf& leaf = kernels().reduce.leaf[kernel][static_cast<int>(out.dtype)];
  const double divisor = divisor_of(call);
  if (!leaf.rows || (divisor != 1 && !is_float(out.dtype))) return fail(Code::DTYPE, kNoDType);
  const int64_t size = static_cast<int64_t>(size_of(out.dtype));

  // Adjacent dimensions that are all kept or all reduced form one group.
  int64_t groups[kMaxRank + 1], kept = 1;
  bool reduced[kMaxRank + 1];
  int count = 0;
  for (int d = 0; d < x.rank; d++) {
    bool r = mask >> d & 1;
    if (!r) kept *= x.dims[d];
    if (x.dims[d] == 1) continue;
    if (count > 0 && reduced[count - 1] == r) {
      groups[count - 1] *= x.dims[d];
    } else {
      groups[count] = x.dims[d];
      reduced[count++] = r;
    }
  }
  if (mask >> x.rank || out.numel() != kept) return fail(Code::SHAPE, kOperands);
  if (kept == 0) return {};

  Scratch dense(call.workspace);
  Status status;
  // Half precision is converted to float32 while it is read.
  DType stored = reads_as(x.dtype, out.dtype) ? x.dtype : out.dtype;
  const char* from = laid_out(x, stored, dense, status);
  NABLA_TRY(status);
  int passes = 0;
  for (int g = 0; g < count; g++) passes += reduced[g];
  const bool is_norm = kernel == static_cast<int>(Reduce::norm);
  const bool moves = leaf.partial_is_result || (is_norm || kernel == static_cast<int>(Reduce::sum));
  if (passes == 0 && divisor == 1 && moves) {
    const Source all(from, stored, out.dtype);
    Scratch tile(call.workspace);
    for (int64_t at = 0, n; at < kept; at += n) {
      n = kept - at < kReduceChunk ? kept - at : kReduceChunk;
      if (const char* piece = all.read(tile, at, n))
        __builtin_memcpy(out.as<char>() + at * size, piece, static_cast<size_t>(n * size));
    }
    NABLA_TRY(all.status());
    if (!is_norm) return {};
    return absolute(out, out);
  }
  if (passes <= 1) {
    int64_t outer = 1, n = 1, inner = 1;
    for (int g = 0, at = 0; g < count; g++) {
      if (reduced[g])
        n = groups[g], at = 1;
      else
        (at == 0 ? outer : inner) *= groups[g];
    }
    const Target to{out.as<char>(), size, false, divisor, range};
    const Source source(from, stored, out.dtype);
    NABLA_TRY(inner == 1 ? reduce_rows(call.workspace, leaf, to, source, outer, n)
                         : reduce_columns(call.workspace, leaf, to, source, outer, n, inner));
    return source.status();
  }
  // The innermost group first; between passes the partials are in a buffer, and are combined as doubles if they are of
  // another type than the elements.
  const ReduceLeaf& joining = leaf.partial_is_result
                                  ? leaf
                                  : kernels().reduce.leaf[static_cast<int>(Reduce::sum)][static_cast<int>(DType::F64)];
  const DType between = leaf.partial_is_result ? out.dtype : DType::F64;
  Scratch buffers[] = {Scratch(call.workspace), Scratch(call.workspace)};  // of this pass and the one before
  int64_t inner = 1;
  for (int g = count - 1, pass = 0; g >= 0; g--) {
    if (!reduced[g]) {
      inner *= groups[g];
      continue;
    }
    int64_t outer = 1;
    for (int h = 0; h < g; h++) outer *= groups[h];
    const ReduceLeaf& each = pass == 0 ? leaf : joining;
    const Source source(from, stored, pass == 0 ? out.dtype : between);
    char* const partials = buffers[pass++ % 2].get<char>(outer * inner * leaf.partial_size);
    const Target to{partials, leaf.partial_size, true, 1, range};
    if (!to.out) return out_of_memory();
    NABLA_TRY(inner == 1 ? reduce_rows(call.workspace, each, to, source, outer, groups[g])
                         : reduce_columns(call.workspace, each, to, source, outer, groups[g], inner));
    NABLA_TRY(source.status());
    from = to.out;
    stored = between;
  }
  leaf.store(out.data, from, kept, divisor);
  return {};
}

const ReduceLeaf& leaf_of(Reduce kernel, DType type) {
  return kernels().reduce.leaf[static_cast<int>(kernel)][static_cast<int>(type)];
}

}  // namespace

const ReduceLeaf& sum_leaf(DType type) { return leaf_of(Reduce::sum, type); }
const ReduceLeaf& norm_leaf(DType type) { return leaf_of(Reduce::norm, type); }

Status run_reduce(const Call& call, int kernel) {
  if (kernel == static_cast<int>(Reduce::prod) && call.n_out == 1 && is_float(call.out().dtype)) {
    Range range;
    NABLA_TRY(reduce(call, kernel, &range));
    return range.left ? product_again(call) : Status{};
  }
  NABLA_TRY(reduce(call, kernel));
  if (call.out().dtype != DType::F64 || call.in(0).dtype != DType::F64) return {};
  const auto again = [=](const Call& scaled) { return reduce(scaled, kernel); };
  constexpr double kMost = std::numeric_limits<double>::max();
  if (kernel == static_cast<int>(Reduce::norm)) {
    NABLA_TRY(scaled_again(call, {0x1p-600, 1, 0, 0x1p1000}, again));
    return scaled_again(call, {0x1p600, 1, 0x1p-500, 0}, again);
  }
  if (kernel == static_cast<int>(Reduce::meanSquare)) return scaled_again(call, {0x1p-600, 2, 0, kMost}, again);
  if (kernel == static_cast<int>(Reduce::sum)) return scaled_again(call, {0x1p-64, 1, 0, kMost}, again);
  return {};
}

Status run_arg_reduce(const Call& call, int kernel) {
  if (call.n_out != 1 || call.n_in != 1 || call.n_attr != 1) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &x = call.in(0);
  if (!(call.attrs[0] >= 0 && call.attrs[0] < x.rank) || out.dtype != DType::I32 || !out.contiguous() || x.scalar)
    return fail(Code::NATIVE, kOperands);
  int dim = static_cast<int>(call.attrs[0]);
  int64_t outer = 1, n = x.dims[dim], inner = 1;
  for (int d = 0; d < x.rank; d++)
    if (d != dim) (d < dim ? outer : inner) *= x.dims[d];
  if (out.numel() != outer * inner || n > INT32_MAX) return fail(Code::SHAPE, kOperands);
  if (outer * inner == 0) return {};
  if (n == 0) return fail(Code::SHAPE, "an empty dimension has no index");
  const ArgReduceLeaf& leaf = kernels().reduce.arg[kernel][static_cast<int>(x.dtype)];
  if (!leaf.rows) return fail(Code::DTYPE, kNoDType);
  Scratch dense(call.workspace);
  Status status;
  const char* from = laid_out(x, x.dtype, dense, status);
  NABLA_TRY(status);
  const int64_t size = static_cast<int64_t>(size_of(x.dtype));
  int32_t* to = out.as<int32_t>();
  if (inner == 1) {
    int64_t rows = kReduceChunk / n + 1;
    parallel_for(ceil_div(outer, rows), [&](int64_t chunk) {
      int64_t first = chunk * rows, count = outer - first < rows ? outer - first : rows;
      leaf.rows(to + first, from + first * n * size, count, n, n);
    });
    return {};
  }
  Scratch index_memory(call.workspace), value_memory(call.workspace);
  auto* indices = index_memory.get<int64_t>(outer * inner);
  char* values = value_memory.get<char>(outer * inner * size);
  if (!indices || !values) return out_of_memory();
  parallel_for(outer, [&](int64_t o) {
    leaf.columns(values + o * inner * size, indices + o * inner, from + o * n * inner * size, n, inner, inner, 0);
    for (int64_t i = o * inner; i < (o + 1) * inner; i++) to[i] = static_cast<int32_t>(indices[i]);
  });
  return {};
}

Status mean_square(const View& out, const View& x, Workspace& workspace) {
  const View operands[2] = {out, x};
  const double attrs[2] = {static_cast<double>((1 << x.rank) - 1), static_cast<double>(x.numel())};
  return run_reduce(Call{-1, 1, 1, 2, operands, attrs, workspace}, static_cast<int>(Reduce::meanSquare));
}

Status length(const Call& call) { return run_reduce(call, static_cast<int>(Reduce::norm)); }

const ListStamp reduce_stamp = {"native/exec/reduce/reduce.cc", kListHash};

}  // namespace nabla
