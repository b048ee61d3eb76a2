#include "exec/reduce.h"

#include <algorithm>

#include "exec/elementwise.h"
#include "exec/halves.h"
#include "exec/tuning.h"
#include "kernels/table.h"
#include "runtime/memory.h"
#include "runtime/pool.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";
constexpr const char* kNoDType = "the op is not defined for this dtype";
constexpr const char* kNoMemory = "out of memory";

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// [outer, n] -> [outer]. A long row is split into parts that are whole subtrees of the fixed summation tree.
Status reduce_rows(const ReduceLeaf& leaf, char* out, const Source& x, int64_t outer, int64_t n, int64_t size) {
  if (n <= kReduceChunk) {
    int64_t rows = kReduceChunk / (n > 0 ? n : 1) + 1;
    parallel_for(ceil_div(outer, rows), [&](int64_t chunk) {
      int64_t first = chunk * rows, count = outer - first < rows ? outer - first : rows;
      if (const char* from = x.read(first * n, count * n)) leaf.rows(out + first * size, from, count, n, n);
    });
    return {};
  }
  int64_t parts = ceil_div(n, kReduceChunk), partial = kReduceLanes * leaf.partial_size;
  Temporary memory;
  char* partials = static_cast<char*>(memory.get(outer * parts * partial));
  if (!partials) return fail(Code::MEMORY, kNoMemory);
  parallel_for(outer * parts, [&](int64_t task) {
    int64_t start = task % parts * kReduceChunk, count = n - start < kReduceChunk ? n - start : kReduceChunk;
    const char* from = x.read(task / parts * n + start, count);
    if (from) leaf.row(partials + task * partial, from, count);
  });
  for (int64_t o = 0; o < outer; o++) {
    leaf.tree(partials + o * parts * partial, parts, kReduceLanes);
    leaf.finish(out + o * size, partials + o * parts * partial);
  }
  return {};
}

// [outer, n, inner] -> [outer, inner].
Status reduce_columns(const ReduceLeaf& leaf, char* out, const Source& x, int64_t outer, int64_t n, int64_t inner,
                      int64_t size) {
  int64_t width = inner < kReduceColumns ? inner : kReduceColumns;
  int64_t bands = ceil_div(inner, width);
  int64_t part = kReduceRows;
  while (part * width < kReduceChunk) part *= 2;
  int64_t parts = n > part ? ceil_div(n, part) : 1;
  // A single part in the result's dtype needs no buffer.
  const int64_t partial = leaf.partial_size;
  const bool in_place = parts == 1 && leaf.partial_is_result;
  Temporary memory;
  char* partials = in_place ? out : static_cast<char*>(memory.get(outer * parts * inner * partial));
  if (!partials) return fail(Code::MEMORY, kNoMemory);
  parallel_for(outer * parts * bands, [&](int64_t task) {
    int64_t band = task % bands * width, p = task / bands % parts, o = task / bands / parts;
    int64_t columns = inner - band < width ? inner - band : width;
    int64_t start = p * part, rows = parts == 1 ? n : (n - start < part ? n - start : part);
    int64_t stride = inner;
    if (const char* from = x.read((o * n + start) * inner + band, rows, columns, stride))
      leaf.columns(partials + ((o * parts + p) * inner + band) * partial, from, rows, stride, columns);
  });
  if (in_place) return {};
  for (int64_t o = 0; o < outer; o++) {
    char* first = partials + o * parts * inner * partial;
    leaf.tree(first, parts, inner);
    leaf.store(out + o * inner * size, first, inner);
  }
  return {};
}

// The input in place if it is contiguous and of the dtype, else a converted copy.
const char* laid_out(const View& x, DType type, Temporary& memory, Status& status) {
  if (x.dtype == type && x.contiguous()) return x.as<char>();
  View dense = x;
  dense.dtype = type;
  dense.scalar = false;
  set_contiguous(dense);
  dense.data = memory.get(x.numel() * static_cast<int64_t>(size_of(type)));
  status = dense.data ? copy(dense, x) : fail(Code::MEMORY, kNoMemory);
  return dense.as<char>();
}

Status reduce(const Call& call, int kernel) {
  if (call.n_out != 1 || call.n_in != 1 || call.n_attr != 1) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &x = call.in(0);
  if (!(call.attrs[0] >= 0 && call.attrs[0] < 1 << kMaxRank) || !out.contiguous()) return fail(Code::NATIVE, kOperands);
  const int mask = static_cast<int>(call.attrs[0]);
  const ReduceLeaf& leaf = kernels().reduce.leaf[kernel][static_cast<int>(out.dtype)];
  if (!leaf.rows) return fail(Code::DTYPE, kNoDType);
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

  Temporary dense;
  Status status;
  // Half precision is converted to float32 while it is read.
  DType stored = reads_as(x.dtype, out.dtype) ? x.dtype : out.dtype;
  const char* from = laid_out(x, stored, dense, status);
  NABLA_TRY(status);
  int passes = 0;
  for (int g = 0; g < count; g++) passes += reduced[g];
  if (passes == 0) {
    const Source all(from, stored, out.dtype);
    for (int64_t at = 0, n; at < kept; at += n) {
      n = kept - at < kReduceChunk ? kept - at : kReduceChunk;
      if (const char* piece = all.read(at, n))
        __builtin_memcpy(out.as<char>() + at * size, piece, static_cast<size_t>(n * size));
    }
    NABLA_TRY(all.status());
    if (kernel != static_cast<int>(Reduce::norm)) return {};
    View same[2] = {out, out};
    double type = static_cast<int>(out.dtype);
    return run_elementwise(Call{-1, 1, 1, 1, same, &type}, static_cast<int>(Elementwise::abs));
  }
  // The innermost group first; between passes the intermediate result is in a buffer.
  Temporary buffers[kMaxRank];
  int64_t inner = 1;
  for (int g = count - 1, pass = 0; g >= 0; g--) {
    if (!reduced[g]) {
      inner *= groups[g];
      continue;
    }
    int64_t outer = 1;
    for (int h = 0; h < g; h++) outer *= groups[h];
    char* to = out.as<char>();
    if (++pass < passes) {
      to = static_cast<char*>(buffers[pass].get(outer * inner * size));
      if (!to) return fail(Code::MEMORY, kNoMemory);
    }
    const Source source(from, stored, out.dtype);
    NABLA_TRY(inner == 1 ? reduce_rows(leaf, to, source, outer, groups[g], size)
                         : reduce_columns(leaf, to, source, outer, groups[g], inner, size));
    NABLA_TRY(source.status());
    from = to;
    stored = out.dtype;
  }
  return {};
}

// Recomputes norms of doubles whose squares overflow or underflow, from scaled elements.
Status scale_norms(const Call& call, int kernel) {
  constexpr double kLeast = 0x1p-500;
  const View &out = call.out(), &x = call.in(0);
  const int64_t n = out.numel();
  double* norms = out.as<double>();
  for (double unit : {0x1p-600, 0x1p600}) {
    const auto lost = [=](double norm) { return unit < 1 ? !(norm <= 0x1p1000) : norm < kLeast; };
    if (std::none_of(norms, norms + n, lost)) continue;
    Temporary scaled, again;
    View operands[3] = {out, x, x};
    double attr = static_cast<int>(DType::F64);
    operands[0].data = again.get(n * 8);
    operands[1].data = scaled.get(x.numel() * 8);
    set_contiguous(operands[1]);
    if (!operands[0].data || !operands[1].data) return fail(Code::MEMORY, kNoMemory);
    View product[3] = {operands[1], x, number(DType::F64, &unit)};
    NABLA_TRY(run_elementwise(Call{-1, 1, 2, 1, product, &attr}, static_cast<int>(Elementwise::mul)));
    attr = call.attrs[0];
    NABLA_TRY(reduce(Call{-1, 1, 1, 1, operands, &attr}, kernel));
    const double* found = operands[0].as<double>();
    for (int64_t i = 0; i < n; i++)
      if (lost(norms[i])) norms[i] = found[i] / unit;
  }
  return {};
}

}  // namespace

Status run_reduce(const Call& call, int kernel) {
  NABLA_TRY(reduce(call, kernel));
  const bool scaled = kernel == static_cast<int>(Reduce::norm) && call.out().dtype == DType::F64;
  return scaled && call.in(0).dtype == DType::F64 ? scale_norms(call, kernel) : Status{};
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
  Temporary dense;
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
  Temporary memory;
  char* scratch = static_cast<char*>(memory.get(outer * inner * (size + 8)));
  if (!scratch) return fail(Code::MEMORY, kNoMemory);
  auto* indices = reinterpret_cast<int64_t*>(scratch);
  char* values = scratch + outer * inner * 8;
  parallel_for(outer, [&](int64_t o) {
    leaf.columns(values + o * inner * size, indices + o * inner, from + o * n * inner * size, n, inner, inner, 0);
    for (int64_t i = o * inner; i < (o + 1) * inner; i++) to[i] = static_cast<int32_t>(indices[i]);
  });
  return {};
}

}  // namespace nabla
