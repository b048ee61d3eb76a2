#include "exec/linalg/linalg.h"

#include <atomic>
#include <cmath>

#include "exec/common/product.h"
#include "exec/elementwise/elementwise.h"
#include "exec/linalg/dense.h"
#include "kernels/table.h"
#include "runtime/pool.h"
#include "runtime/workspace.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";
constexpr const char* kSingular = "the matrix is singular";
constexpr const char* kNotFinite = "the matrix holds NaN or infinity, or its rotations do not converge";
constexpr int64_t kWorkOfChunk = 1 << 16;  // multiplications, about

// A batch of matrices; a vector has one column.
struct Batch {
  int64_t count = 1, rows = 0, columns = 0;
  bool fits = false;

  explicit Batch(const View& v, int trailing = 2) {
    fits = !v.scalar && is_float(v.dtype) && v.rank >= trailing && v.contiguous();
    if (!fits) return;
    for (int d = 0; d < v.rank - trailing; d++) count *= v.dims[d];
    rows = trailing > 1 ? v.dims[v.rank - trailing] : 1;
    columns = trailing > 0 ? v.dims[v.rank - 1] : 1;
  }
  int64_t size() const { return rows * columns; }
  bool square() const { return fits && rows == columns; }
  bool is(int64_t count_, int64_t rows_, int64_t columns_) const {
    return fits && count == count_ && rows == rows_ && columns == columns_;
  }
};

void load(const View& v, int64_t at, double* to, int64_t n) {
  for (int64_t i = 0; i < n; i++) to[i] = v.dtype == DType::F64 ? v.as<double>()[at + i] : v.as<float>()[at + i];
}

void store(const View& v, int64_t at, const double* from, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    if (v.dtype == DType::F64)
      v.as<double>()[at + i] = from[i];
    else
      v.as<float>()[at + i] = static_cast<float>(from[i]);
  }
}

// columns [n, m] of a matrix [m, n], and back.
void transpose(const double* from, int64_t m, int64_t n, double* to) {
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < n; j++) to[j * m + i] = from[i * n + j];
}

bool finite(const double* x, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    if (!std::isfinite(x[i])) return false;
  return true;
}

// f(i, work) for every matrix of a batch, each with `doubles` of work space; false if it refuses the matrix. Then the
// first refused one is reported, whatever the threads. Does nothing for an empty result.
template <class F>
Status each(const Call& call, int64_t count, int64_t multiplications, int64_t doubles, const char* refusal, F&& f) {
  if (call.out().numel() == 0) return {};
  const int64_t per_chunk = kWorkOfChunk / (multiplications + 1) + 1, chunks = (count + per_chunk - 1) / per_chunk;
  std::atomic<bool> memory{true};
  std::atomic<int64_t> first{count};
  parallel_for(chunks, [&](int64_t chunk) {
    Scratch scratch(call.workspace);
    auto* work = scratch.get<double>(doubles + 1);
    if (!work) {
      memory = false;
      return;
    }
    const int64_t end = (chunk + 1) * per_chunk < count ? (chunk + 1) * per_chunk : count;
    for (int64_t i = chunk * per_chunk; i < end; i++) {
      if (f(i, work)) continue;
      int64_t before = first.load();
      while (i < before && !first.compare_exchange_weak(before, i)) {
      }
      break;
    }
  });
  if (!memory) return out_of_memory(0);
  return first == count ? Status{} : fail(Code::ARGUMENT, refusal, 1, first);
}

// out [..] or [.., 2] from the pivots of each matrix: f(pivots, n, odd, result).
template <class F>
Status over_pivots(const Call& call, int64_t results, F&& f) {
  if (call.n_out != 1 || call.n_in != 1 || call.n_attr != 0) return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &x = call.in(0);
  const Batch a(x), to(out, results > 1 ? 1 : 0);
  if (!a.square() || !to.is(a.count, 1, results) || out.dtype != x.dtype) return fail(Code::SHAPE, kOperands);
  const int64_t n = a.rows;
  return each(call, a.count, n * n * n / 3, n * n + 2 * n + results, "", [&](int64_t i, double* work) {
    double *pivots = work + n * n, *result = pivots + n;
    auto* order = reinterpret_cast<int64_t*>(result + results);
    bool odd;
    load(x, i * n * n, work, n * n);
    dense::lu(work, n, order, &odd);
    for (int64_t j = 0; j < n; j++) pivots[j] = work[j * n + j];
    f(pivots, n, odd, result);
    store(out, i * results, result, results);
    return true;
  });
}

// One input [.., m, n] with m >= n, one result of `out_rows` x `out_columns` for each matrix.
Status check_tall(const Call& call, const Batch& x, int attrs, int64_t out_rows, int64_t out_columns) {
  if (call.n_out != 1 || call.n_in != 1 || call.n_attr != attrs) return fail(Code::NATIVE, kOperands);
  if (!x.fits || x.rows < x.columns || !Batch(call.out()).is(x.count, out_rows, out_columns) ||
      call.out().dtype != call.in(0).dtype)
    return fail(Code::SHAPE, kOperands);
  return {};
}

// Reads the operands of a linear system.
Status check_system(const Call& call, const Batch& a, const Batch& b, int attrs) {
  if (call.n_out != 1 || call.n_in != 2 || call.n_attr != attrs) return fail(Code::NATIVE, kOperands);
  if (!a.square() || !b.is(a.count, a.rows, b.columns) || !Batch(call.out()).is(b.count, b.rows, b.columns) ||
      call.in(0).dtype != call.in(1).dtype || call.out().dtype != call.in(0).dtype)
    return fail(Code::SHAPE, kOperands);
  return {};
}

}  // namespace

Status run_cholesky(const Call& call) {
  if (call.n_in != 1) return fail(Code::NATIVE, kOperands);
  const Batch a(call.in(0));
  NABLA_TRY(check_tall(call, a, 0, a.rows, a.rows));
  const int64_t n = a.rows;
  if (!a.square()) return fail(Code::SHAPE, kOperands);
  return each(call, a.count, n * n * n / 6, n * n + n, "the matrix is not positive definite",
              [&](int64_t i, double* work) {
                load(call.in(0), i * n * n, work, n * n);
                if (!dense::cholesky(work, n, work + n * n)) return false;
                store(call.out(), i * n * n, work, n * n);
                return true;
              });
}

Status run_triangular_solve(const Call& call) {
  if (call.n_in != 2 || call.n_attr != 2) return fail(Code::NATIVE, kOperands);
  const Batch a(call.in(0)), b(call.in(1));
  NABLA_TRY(check_system(call, a, b, 2));
  const bool upper = call.attrs[0] != 0, unit = call.attrs[1] != 0;
  const int64_t n = a.rows, k = b.columns;
  return each(call, a.count, n * n * k / 2, n * n + n * k, kSingular, [&](int64_t i, double* work) {
    double* x = work + n * n;
    load(call.in(0), i * n * n, work, n * n);
    load(call.in(1), i * n * k, x, n * k);
    for (int64_t j = 0; j < n && !unit; j++)
      if (work[j * n + j] == 0) return false;
    (upper ? dense::solve_upper : dense::solve_lower)(work, n, unit, x, k);
    store(call.out(), i * n * k, x, n * k);
    return true;
  });
}

Status run_solve(const Call& call) {
  if (call.n_in != 2) return fail(Code::NATIVE, kOperands);
  const Batch a(call.in(0)), b(call.in(1));
  NABLA_TRY(check_system(call, a, b, 0));
  const int64_t n = a.rows, k = b.columns;
  return each(call, a.count, n * n * (n / 3 + k), n * n + 2 * n * k + n, kSingular, [&](int64_t i, double* work) {
    double *right = work + n * n, *x = right + n * k;
    auto* order = reinterpret_cast<int64_t*>(x + n * k);
    bool odd;
    load(call.in(0), i * n * n, work, n * n);
    load(call.in(1), i * n * k, right, n * k);
    if (!dense::lu(work, n, order, &odd)) return false;
    for (int64_t r = 0; r < n; r++)
      for (int64_t c = 0; c < k; c++) x[r * k + c] = right[order[r] * k + c];
    dense::solve_lower(work, n, true, x, k);
    dense::solve_upper(work, n, false, x, k);
    store(call.out(), i * n * k, x, n * k);
    return true;
  });
}

Status run_det(const Call& call) {
  return over_pivots(call, 1, [](const double* pivots, int64_t n, bool odd, double* result) {
    Product product;
    for (int64_t j = 0; j < n; j++) product.times(pivots[j]);
    *result = odd ? -product.value() : product.value();
  });
}

Status run_cofactors(const Call& call) {
  if (call.n_in != 1) return fail(Code::NATIVE, kOperands);
  const Batch a(call.in(0));
  NABLA_TRY(check_tall(call, a, 0, a.rows, a.rows));
  if (!a.square()) return fail(Code::SHAPE, kOperands);
  const int64_t n = a.rows, size = n * n;
  return each(call, a.count, n * size, 3 * size + 2 * n, kSingular, [&](int64_t i, double* work) {
    load(call.in(0), i * size, work, size);
    dense::cofactors(work, n, work + size, work + 2 * size);
    store(call.out(), i * size, work + size, size);
    return true;
  });
}

Status run_slogdet(const Call& call) {
  return over_pivots(call, 2, [](double* pivots, int64_t n, bool odd, double* result) {
    double sign = odd ? -1 : 1;
    for (int64_t j = 0; j < n; j++) {
      sign *= pivots[j] < 0 ? -1 : pivots[j] > 0 ? 1 : pivots[j];
      pivots[j] = std::fabs(pivots[j]);
    }
    take_log(pivots, n);
    result[0] = sign;
    result[1] = 0;
    for (int64_t j = 0; j < n; j++) result[1] += pivots[j];
  });
}

Status run_qr(const Call& call) {
  if (call.n_in != 1) return fail(Code::NATIVE, kOperands);
  const Batch a(call.in(0));
  NABLA_TRY(check_tall(call, a, 0, a.rows + a.columns, a.columns));
  const int64_t m = a.rows, n = a.columns, size = m * n;
  return each(call, a.count, 2 * size * n, 2 * size + n * n + n, "", [&](int64_t i, double* work) {
    double *columns = work + size, *r = columns + size;
    load(call.in(0), i * size, work, size);
    transpose(work, m, n, columns);
    dense::qr(columns, m, n, r, r + n * n);
    transpose(columns, n, m, work);
    store(call.out(), i * (size + n * n), work, size);
    store(call.out(), i * (size + n * n) + size, r, n * n);
    return true;
  });
}

Status run_eigh(const Call& call) {
  if (call.n_in != 1) return fail(Code::NATIVE, kOperands);
  const Batch a(call.in(0));
  NABLA_TRY(check_tall(call, a, 0, a.rows + 1, a.rows));
  if (!a.square()) return fail(Code::SHAPE, kOperands);
  const int64_t n = a.rows;
  return each(call, a.count, 16 * n * n * n, 2 * n * n + 2 * n, kNotFinite, [&](int64_t i, double* work) {
    double *v = work + n * n, *values = v + n * n;
    load(call.in(0), i * n * n, work, n * n);
    for (int64_t r = 0; r < n; r++)
      for (int64_t c = r + 1; c < n; c++) work[r * n + c] = work[c * n + r];
    if (!finite(work, n * n) || !dense::eigh(work, n, values, v, values + n)) return false;
    transpose(v, n, n, work);
    store(call.out(), i * (n + 1) * n, values, n);
    store(call.out(), i * (n + 1) * n + n, work, n * n);
    return true;
  });
}

namespace {

// f(matrix of the batch, columns of U, values, rows of Vᵀ, work of m * n) on the decomposition of each tall matrix [m,
// n].
template <class F>
Status over_svd(const Call& call, const Batch& a, F&& f) {
  const int64_t m = a.rows, n = a.columns, size = m * n;
  return each(call, a.count, 16 * size * n, 2 * size + 3 * n * n + 3 * n, kNotFinite, [&](int64_t i, double* work) {
    double *columns = work + size, *v = columns + size, *values = v + n * n;
    load(call.in(0), i * size, work, size);
    transpose(work, m, n, columns);
    if (!finite(work, size) || !dense::svd(columns, m, n, values, v, values + n)) return false;
    f(i, columns, values, v, work);
    return true;
  });
}

}  // namespace

Status run_svd(const Call& call) {
  if (call.n_in != 1) return fail(Code::NATIVE, kOperands);
  const Batch a(call.in(0));
  NABLA_TRY(check_tall(call, a, 0, a.rows + 1 + a.columns, a.columns));
  const int64_t m = a.rows, n = a.columns, size = m * n;
  return over_svd(call, a, [&](int64_t i, const double* columns, const double* values, const double* v, double* work) {
    transpose(columns, n, m, work);
    const int64_t at = i * (m + 1 + n) * n;
    store(call.out(), at, work, size);
    store(call.out(), at + size, values, n);
    store(call.out(), at + size + n, v, n * n);
  });
}

Status run_pinv(const Call& call) {
  if (call.n_in != 1 || call.n_attr != 1) return fail(Code::NATIVE, kOperands);
  const Batch a(call.in(0));
  NABLA_TRY(check_tall(call, a, 1, a.columns, a.rows));
  const int64_t m = a.rows, n = a.columns, size = m * n;
  return over_svd(call, a, [&](int64_t i, const double* columns, const double* values, const double* v, double* work) {
    // V diag(1 / values) Uᵀ.
    for (int64_t j = 0; j < size; j++) work[j] = 0;
    for (int64_t j = 0; j < n && values[j] > call.attrs[0] * values[0]; j++)
      for (int64_t r = 0; r < n; r++) dense::axpy(v[j * n + r] / values[j], columns + j * m, work + r * m, m);
    store(call.out(), i * size, work, size);
  });
}

}  // namespace nabla
