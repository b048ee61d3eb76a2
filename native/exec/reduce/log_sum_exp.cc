#include "exec/reduce/log_sum_exp.h"

#include <limits>

#include "exec/common/dense_like.h"
#include "exec/common/rows.h"
#include "exec/reduce/middle.h"
#include "exec/reduce/reduced_rows.h"
#include "kernels/table.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";
constexpr int64_t kBand = 64;  // columns of one task

// What rows of many parts are shifted by, and the pair that is left of each: all parts find the shift first.
class LongRows {
 public:
  explicit LongRows(Workspace& workspace) : memory_(workspace) {}

  double* shift = nullptr;
  double* pair = nullptr;

  Status run(const ReducedRows& x, const LogSumExpLeaf& leaf, bool may_be_in_double) {
    const int64_t parts = x.parts();
    auto* of_parts = memory_.get<double>(x.rows * parts * 2 + x.rows * 4);
    if (!of_parts) return out_of_memory();
    shift = of_parts + x.rows * parts * 2;
    pair = shift + x.rows;
    double* const in_double = pair + x.rows * 2;
    NABLA_TRY(x.each_part([&](int64_t row, int64_t part, const char* from, int64_t n) {
      of_parts[row * parts + part] = leaf.top(from, n);
    }));
    for (int64_t r = 0; r < x.rows; r++) {
      double top = of_parts[r * parts];
      for (int64_t p = 1; p < parts; p++) {
        const double other = of_parts[r * parts + p];
        if (other > top || other != other) top = other;
      }
      in_double[r] = leaf.shift(&shift[r], top, x.n) && may_be_in_double ? 1 : 0;
    }
    NABLA_TRY(x.each_part([&](int64_t row, int64_t part, const char* from, int64_t n) {
      leaf.sums(of_parts + (row * parts + part) * 2, from, shift[row], in_double[row] != 0, n);
    }));
    for (int64_t r = 0; r < x.rows; r++) {
      pair[r * 2] = pair[r * 2 + 1] = 0;
      for (int64_t p = 0; p < parts * 2; p++) pair[r * 2 + p % 2] += of_parts[r * parts * 2 + p];
    }
    return {};
  }

 private:
  Scratch memory_;
};

// f(element at which a band of columns begins, its first column among all results, how many), over all columns.
template <class F>
void over_bands(const Middle& of, F&& f) {
  const int64_t bands = (of.inner + kBand - 1) / kBand;
  parallel_for(of.outer * bands, [&](int64_t task) {
    const int64_t outer = task / bands, column = task % bands * kBand;
    f(outer * of.n * of.inner + column, outer * of.inner + column,
      of.inner - column < kBand ? of.inner - column : kBand);
  });
}

Status in_columns(Workspace& workspace, const Middle& of, const View& out, const View& x, const LogSumExpLeaf& leaf) {
  const int64_t size = static_cast<int64_t>(size_of(out.dtype));
  View dense = x;
  Scratch memory(workspace);
  if (!x.contiguous()) {
    dense = dense_like(x, x.dtype, memory);
    if (!dense.data) return out_of_memory();
    NABLA_TRY(copy(dense, x));
  }
  const Source source(dense.data, dense.dtype, out.dtype);
  over_bands(of, [&](int64_t at, int64_t column, int64_t columns) {
    int64_t stride = of.inner;
    Scratch tile(workspace);
    if (const char* from = source.read(tile, at, of.n, columns, stride))
      leaf.columns(out.as<char>() + column * size, from, of.n, stride, columns);
  });
  return source.status();
}

// dx = exp(x - shift) * rate, as the gradient of cross-entropy without a target.
template <class T>
Status write_long_rows(Workspace& workspace, const View& dx, const View& g, const ReducedRows& x, const LongRows& of) {
  const CrossEntropyBackwardFn write = kernels().softmax.cross_entropy_backward[sizeof(T) == 8];
  const Sink sink(dx.data, dx.dtype);
  const bool streaming = sink.direct() && exceeds_cache(dx);
  NABLA_TRY(x.each_part([&](int64_t row, int64_t part, const char* from, int64_t n) {
    const T weight[2] = {static_cast<T>(of.shift[row]), 0};
    const int64_t at = row * x.n + part * kReduceChunk;
    Scratch tile(workspace);
    char* to = sink.open(tile, at, n);
    if (!to) return;
    write(to, from, weight, -1, g.as<T>()[row] / of.pair[row * 2], streaming, n);
    sink.close(to, at, n);
    if (streaming) end_streaming();
  }));
  return sink.status();
}

Status long_rows_backward(Workspace& workspace, const View& dx, const View& g, const View& x, double mask,
                          const LogSumExpLeaf& leaf) {
  ReducedRows rows(workspace);
  NABLA_TRY(rows.check(g, x, mask));
  LongRows of(workspace);
  NABLA_TRY(of.run(rows, leaf, false));
  return (g.dtype == DType::F64 ? write_long_rows<double> : write_long_rows<float>)(workspace, dx, g, rows, of);
}

void fill_empty(const View& out) {
  const int64_t n = out.numel();
  for (int64_t i = 0; i < n; i++) {
    if (out.dtype == DType::F64)
      out.as<double>()[i] = -std::numeric_limits<double>::infinity();
    else
      out.as<float>()[i] = -std::numeric_limits<float>::infinity();
  }
}

}  // namespace

Status run_log_sum_exp(const Call& call) {
  if (call.n_out != 1 || call.n_in != 1 || call.n_attr != 1) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &x = call.in(0);
  ReducedRows rows(call.workspace);
  NABLA_TRY(rows.check(out, x, call.attrs[0]));
  if (rows.rows == 0) return {};
  if (rows.n == 0) {
    fill_empty(out);
    return {};
  }
  const LogSumExpLeaf& leaf = kernels().softmax.log_sum_exp[out.dtype == DType::F64];
  const int64_t size = static_cast<int64_t>(size_of(out.dtype));
  const Middle middle(x, static_cast<int>(call.attrs[0]));
  // What is long, or lies in several pieces, is taken as rows. The shape alone decides.
  if (middle.fits && middle.inner > 1 && middle.n <= kReduceChunk)
    return in_columns(call.workspace, middle, out, x, leaf);
  NABLA_TRY(rows.lay_out());
  if (rows.n > kReduceChunk) {
    LongRows of(call.workspace);
    NABLA_TRY(of.run(rows, leaf, true));
    for (int64_t r = 0; r < rows.rows; r++) leaf.finish(out.as<char>() + r * size, of.shift[r], of.pair + r * 2);
    return {};
  }
  return rows.blocks([&](int64_t first, int64_t count, const char* from) {
    leaf.rows(out.as<char>() + first * size, from, count, rows.n);
  });
}

Status run_log_sum_exp_backward(const Call& call) {
  if (call.n_out != 1 || call.n_in != 2 || call.n_attr != 1) return fail(Code::NATIVE, kOperands);
  const View &dx = call.out(), &g = call.in(0), &x = call.in(1);
  const DType type = computed(dx.dtype);
  if (!is_float(type)) return fail(Code::DTYPE, "the op is not defined for this dtype");
  if (!(call.attrs[0] >= 0 && call.attrs[0] < 1 << kMaxRank)) return fail(Code::NATIVE, kOperands);
  const int mask = static_cast<int>(call.attrs[0]);
  if (mask >> x.rank || !same_shape(dx, x) || x.scalar || !x.contiguous() || !dx.contiguous() || x.dtype != dx.dtype)
    return fail(Code::SHAPE, kOperands);
  const Middle of(x, mask);
  if (!of.fits || g.dtype != type || g.scalar || !g.contiguous() || g.numel() != of.outer * of.inner)
    return fail(Code::SHAPE, kOperands, 1);
  if (x.numel() == 0) return {};
  const LogSumExpLeaf& leaf = kernels().softmax.log_sum_exp[type == DType::F64];
  const int64_t size = static_cast<int64_t>(size_of(type));
  const char* slopes = g.as<char>();
  if (of.inner == 1 && of.n > kReduceChunk) return long_rows_backward(call.workspace, dx, g, x, call.attrs[0], leaf);
  const Source source(x.data, x.dtype, type);
  const Sink sink(dx.data, dx.dtype);
  if (of.inner > 1) {
    over_bands(of, [&](int64_t at, int64_t column, int64_t columns) {
      Scratch tile(call.workspace);
      int64_t stride = of.inner;
      const char* from = source.read(tile, at, of.n, columns, stride);
      if (!from) return;
      // A tile is overwritten.
      char* to = sink.direct() ? dx.as<char>() + at * size : const_cast<char*>(from);
      leaf.columns_backward(to, slopes + column * size, from, of.n, stride, columns);
      sink.close(to, at, of.n, columns, of.inner);
    });
  } else {
    const bool streaming = sink.direct() && exceeds_cache(dx) && of.n * size <= kRowWork;
    const int64_t per = kRowsChunk / of.n + 1;
    parallel_for((of.outer + per - 1) / per, [&](int64_t chunk) {
      const int64_t first = chunk * per, count = of.outer - first < per ? of.outer - first : per;
      const int64_t at = first * of.n, n = count * of.n;
      Scratch read(call.workspace), written(call.workspace);
      const char* from = source.read(read, at, n);
      char* to = sink.open(written, at, n);
      if (!from || !to) return;
      leaf.rows_backward(to, slopes + first * size, from, streaming, count, of.n);
      sink.close(to, at, n);
      if (streaming) end_streaming();
    });
  }
  NABLA_TRY(source.status());
  return sink.status();
}

}  // namespace nabla
