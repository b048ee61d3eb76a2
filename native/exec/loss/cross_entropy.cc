#include "exec/loss/cross_entropy.h"

#include <cstring>

#include "exec/common/rows.h"
#include "kernels/table.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";
constexpr const char* kNoDType = "the op is not defined for this dtype";

// Reads each target once, so that the checked value is used.
int64_t target_at(const View& target, int64_t row) {
  switch (target.dtype) {
    case DType::I32: return target.as<int32_t>()[row];
    case DType::I64: return target.as<int64_t>()[row];
    default: return target.as<uint8_t>()[row];
  }
}

// -1 for a row that does not count.
int64_t counted_target(const View& target, int64_t row, double ignored) {
  const int64_t c = target_at(target, row);
  return static_cast<double>(c) == ignored ? -1 : c;
}

Status check_targets(const View& logits, const View& target, double ignored, int32_t operand) {
  if (!(is_float(logits.dtype) || is_half(logits.dtype)) || is_float(target.dtype) || is_half(target.dtype) ||
      target.dtype == DType::BOOL)
    return fail(Code::DTYPE, kNoDType);
  if (logits.rank != 2 || target.rank != 1 || target.dims[0] != logits.dims[0] || !logits.contiguous() ||
      !target.contiguous() || logits.scalar || target.scalar)
    return fail(Code::SHAPE, kOperands);
  for (int64_t r = 0; r < logits.dims[0]; r++) {
    int64_t c = target_at(target, r);
    if ((c < 0 || c >= logits.dims[1]) && static_cast<double>(c) != ignored)
      return fail(Code::INDEX, "a target is not one of the classes", operand, c);
  }
  return {};
}

bool of_rows(const View& v, const View& x, const View& target) {
  return is_float(v.dtype) && reads_as(x.dtype, v.dtype) && !v.scalar && same_shape(v, target) && v.contiguous();
}

// Target classes, -1 for an ignored row; and the gradient of each loss in their sum or mean.
struct Targets {
  const View& target;
  double ignored;
  double divisor = 1;

  Targets(const View& of, double without, bool mean) : target(of), ignored(without) {
    if (!mean) return;
    int64_t count = 0;
    for (int64_t r = 0; r < target.dims[0]; r++) count += at(r) >= 0;
    if (count > 0) divisor = static_cast<double>(count);
  }
  int64_t at(int64_t row) const { return counted_target(target, row, ignored); }
  template <class T>
  T slope() const {
    return T(1) / static_cast<T>(divisor);
  }
};

// The two numbers that softmax needs for a row: exp((x - shift) - log_sum).
template <class T>
struct RowWeight {
  T shift, log_sum;

  RowWeight(T of, T sum) : shift(of), log_sum(sum) {}
  RowWeight(const T* x, int64_t target, int64_t n) {
    T pair[2];
    kernels().softmax.row_weight[sizeof(T) == 8](pair, x, target, n);
    shift = pair[0];
    log_sum = pair[1];
  }
  void store(T* pair) const {
    pair[0] = shift;
    pair[1] = log_sum;
  }
  T loss(T at_target) const { return (shift - at_target) + log_sum; }
  // dx of one row, whose loss has gradient `slope`.
  void backward(T* dx, const T* x, int64_t target, T slope, bool streaming, int64_t n) const {
    T pair[2];
    store(pair);
    kernels().softmax.cross_entropy_backward[sizeof(T) == 8](dx, x, pair, target, static_cast<double>(slope), streaming,
                                                             n);
  }
};

template <class T>
void clear(T* row, int64_t n) {
  std::memset(row, 0, static_cast<size_t>(n) * sizeof(T));
}

// The weights of rows, two numbers each.
bool of_weights(const View& v, const View& x, DType type) {
  return v.dtype == type && !v.scalar && v.rank == 2 && v.dims[0] == x.dims[0] && v.dims[1] == 2 && v.contiguous();
}

// Losses and, unless `kept` is null, the weights of rows of halves, or the gradient, while a row is in the cache. Until
// the gradients of the losses are known, the row's two numbers are stored at the target and the following class.
template <class T>
Status loss_rows(Workspace& workspace, const View& loss, const View* kept, const View& x, const Targets& targets) {
  const Source source(x.data, x.dtype, loss.dtype);
  const bool rounded = is_half(x.dtype), streaming = kept && !rounded && exceeds_cache(*kept);
  const T slope = targets.slope<T>();
  over_rows(x, streaming, [&](int64_t r, int64_t, int64_t n) {
    Scratch tile(workspace);
    const T* row = reinterpret_cast<const T*>(source.read(tile, r * n, n));
    if (!row) return;
    T* dx = kept && !rounded ? kept->as<T>() + r * n : nullptr;
    const int64_t target = targets.at(r);
    if (target < 0 || target >= n) {
      loss.as<T>()[r] = 0;
      if (dx) clear(dx, n);
      return;
    }
    const RowWeight<T> weight(row, target, n);
    loss.as<T>()[r] = weight.loss(row[target]);
    if (kept && rounded) weight.store(kept->as<T>() + r * 2);
    if (!dx) return;
    weight.backward(dx, row, target, slope, streaming, n);
    if (n == 1) return;
    dx[target] = weight.log_sum;
    dx[(target + 1) % n] = weight.shift;
  });
  return source.status();
}

// Turns the residual output into the gradient, given the gradients g of the losses.
template <class T>
void finish_rows(const View& slopes, const View& g, const View& x, const Targets& targets) {
  const bool streaming = exceeds_cache(slopes);
  const T expected = targets.slope<T>();
  over_rows(slopes, streaming, [&](int64_t r, int64_t, int64_t n) {
    T* dx = slopes.as<T>() + r * n;
    const T* row = x.as<T>() + r * n;
    const int64_t target = targets.at(r);
    if (target < 0 || target >= n) return;
    const T slope = g.as<T>()[r * g.strides[0]];
    const int64_t next = (target + 1) % n;
    if (n == 1) return RowWeight<T>(row, target, n).backward(dx, row, target, slope, false, n);
    const RowWeight<T> weight(dx[next], dx[target]);
    if (slope != expected) return weight.backward(dx, row, target, slope, streaming, n);
    weight.backward(dx + target, row + target, 0, slope, false, 1);
    weight.backward(dx + next, row + next, -1, slope, false, 1);
  });
}

// `weights` of the rows may be null.
template <class T>
Status slope_rows(const Call& call, const Targets& targets, const T* weights) {
  const View &dx = call.out(), &g = call.in(0), &x = call.in(1);
  const Source source(x.data, x.dtype, g.dtype);
  const Sink sink(dx.data, dx.dtype);
  const bool streaming = sink.direct() && exceeds_cache(dx);
  over_rows(dx, streaming, [&](int64_t r, int64_t, int64_t n) {
    Scratch read(call.workspace), written(call.workspace);
    const T* row = reinterpret_cast<const T*>(source.read(read, r * n, n));
    T* to = reinterpret_cast<T*>(sink.open(written, r * n, n));
    if (!row || !to) return;
    const int64_t target = targets.at(r);
    if (target < 0 || target >= n) {
      clear(to, n);
    } else {
      const RowWeight<T> weight =
          weights ? RowWeight<T>(weights[r * 2], weights[r * 2 + 1]) : RowWeight<T>(row, target, n);
      weight.backward(to, row, target, g.as<T>()[r * g.strides[0]], streaming, n);
    }
    sink.close(reinterpret_cast<const char*>(to), r * n, n);
  });
  NABLA_TRY(source.status());
  return sink.status();
}

Status check_gradient(const Call& call, int most, int attrs) {
  if (call.n_out != 1 || call.n_in < 3 || call.n_in > most || call.n_attr != attrs)
    return fail(Code::NATIVE, kOperands);
  const View &dx = call.out(), &g = call.in(0), &x = call.in(1), &target = call.in(2);
  NABLA_TRY(check_targets(x, target, call.attrs[0], 3));
  if (!rows_alike(dx, x) || g.dtype != computed(x.dtype) || g.scalar || !same_shape(g, target))
    return fail(Code::SHAPE, kOperands);
  return {};
}

}  // namespace

Status run_cross_entropy(const Call& call) {
  if (call.n_out < 1 || call.n_out > 2 || call.n_in != 2 || call.n_attr != 2) return fail(Code::NATIVE, kOperands);
  const View &loss = call.out(), &x = call.in(0), &target = call.in(1);
  const View* kept = call.n_out == 2 ? &call.out(1) : nullptr;
  NABLA_TRY(check_targets(x, target, call.attrs[0], 2));
  const bool fits = !kept || (is_half(x.dtype) ? of_weights(*kept, x, loss.dtype) : rows_alike(*kept, x));
  if (!of_rows(loss, x, target) || !fits) return fail(Code::SHAPE, kOperands);
  const auto run = x.dtype == DType::F64 ? loss_rows<double> : loss_rows<float>;
  return run(call.workspace, loss, kept, x, Targets(target, call.attrs[0], call.attrs[1] != 0));
}

Status run_cross_entropy_finish(const Call& call) {
  NABLA_TRY(check_gradient(call, 3, 2));
  const View &dx = call.out(), &g = call.in(0), &x = call.in(1);
  const Targets targets(call.in(2), call.attrs[0], call.attrs[1] != 0);
  (x.dtype == DType::F64 ? finish_rows<double> : finish_rows<float>)(dx, g, x, targets);
  return {};
}

Status run_cross_entropy_backward(const Call& call) {
  NABLA_TRY(check_gradient(call, 4, 1));
  const View& x = call.in(1);
  const Targets targets(call.in(2), call.attrs[0], false);
  const bool kept = call.n_in > 3;
  if (kept && !of_weights(call.in(3), x, computed(x.dtype))) return fail(Code::SHAPE, kOperands);
  if (x.dtype == DType::F64) return slope_rows(call, targets, kept ? call.in(3).as<double>() : nullptr);
  return slope_rows(call, targets, kept ? call.in(3).as<float>() : nullptr);
}

}  // namespace nabla
