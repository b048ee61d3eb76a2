#include "exec/optim.h"

#include <cmath>

#include "exec/elementwise.h"
#include "exec/tuning.h"
#include "kernels/table.h"
#include "runtime/memory.h"
#include "runtime/pool.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";

bool float_block(const View& v) { return !v.scalar && is_float(v.dtype) && v.contiguous(); }
bool alike(const View& a, const View& b) { return float_block(b) && a.dtype == b.dtype && a.numel() == b.numel(); }

// Runs f(operand, first, count) over all parameters in pieces, in one parallel region. Runs nothing if the list of
// pieces cannot be allocated.
template <class F>
Status over_pieces(const Call& call, int parameters, F&& f) {
  struct Piece {
    int32_t parameter;
    int64_t first, count;
  };
  int64_t most = 0;
  for (int i = 0; i < parameters; i++) most += (call.out(i).numel() + kElementwiseChunk - 1) / kElementwiseChunk;
  Temporary list_memory, tasks_memory;
  auto* list = static_cast<Piece*>(list_memory.get(most * static_cast<int64_t>(sizeof(Piece))));
  auto* tasks = static_cast<int64_t*>(tasks_memory.get((most + 1) * static_cast<int64_t>(sizeof(int64_t))));
  if (!list || !tasks) return fail(Code::MEMORY, "out of memory");
  // Small parameters share a task, so that each is worth waking a thread.
  int64_t pieces = 0, ends = 0, elements = 0;
  tasks[0] = 0;
  for (int i = 0; i < parameters; i++) {
    const int64_t n = call.out(i).numel();
    for (int64_t at = 0; at < n; at += kElementwiseChunk) {
      list[pieces] = {i, at, n - at < kElementwiseChunk ? n - at : kElementwiseChunk};
      elements += list[pieces++].count;
      if (elements < kElementwiseChunk && pieces < most) continue;
      tasks[++ends] = pieces;
      elements = 0;
    }
  }
  parallel_for(ends, [&](int64_t t) {
    for (int64_t i = tasks[t]; i < tasks[t + 1]; i++) f(list[i].parameter, list[i].first, list[i].count);
  });
  return {};
}

char* at(const View& v, int64_t element) { return v.as<char>() + element * static_cast<int64_t>(size_of(v.dtype)); }

// By repeated squaring, without libm, so that the bits are the same everywhere.
double power(double base, int64_t exponent) {
  double result = 1;
  for (; exponent > 0; exponent >>= 1, base *= base)
    if (exponent & 1) result *= base;
  return result;
}

// Whether the outputs are, for each gradient, a parameter and `least` to `most` buffers of the same form; returns the
// number of buffers, or -1.
int buffers_of(const Call& call, int least, int most) {
  const int count = call.n_in, buffers = count > 0 ? call.n_out / count - 1 : -1;
  if (buffers < least || buffers > most || call.n_out != (buffers + 1) * count) return -1;
  for (int i = 0; i < call.n_out; i++)
    if (!float_block(call.out(i % count)) || !alike(call.out(i % count), call.out(i)) ||
        !alike(call.out(i % count), call.in(i % count)))
      return -1;
  return buffers;
}

}  // namespace

Status run_sgd(const Call& call) {
  if (call.n_attr != 6) return fail(Code::NATIVE, kOperands);
  const double* a = call.attrs;
  SgdNumbers s{a[0], a[1], a[2], a[3], a[4] != 0, a[5] != 0};
  const int count = call.n_in;
  const bool momentum = call.n_out == 2 * count;
  if (!momentum && call.n_out != count) return fail(Code::NATIVE, kOperands);
  for (int i = 0; i < count; i++)
    if (!float_block(call.out(i)) || !alike(call.out(i), call.in(i)) ||
        (momentum && !alike(call.out(i), call.out(count + i))))
      return fail(Code::SHAPE, kOperands, i);
  const OptimTable& table = kernels().optim;
  return over_pieces(call, count, [&](int i, int64_t first, int64_t n) {
    table.sgd[call.out(i).dtype == DType::F64](at(call.out(i), first), at(call.in(i), first),
                                               momentum ? at(call.out(count + i), first) : nullptr, n, s);
  });
}

Status run_adam(const Call& call) {
  if (call.n_attr != 7) return fail(Code::NATIVE, kOperands);
  const double* a = call.attrs;
  const double step = a[5];
  const int count = call.n_in;
  if (call.n_out != 3 * count || !(step >= 1 && step < 9e15)) return fail(Code::NATIVE, kOperands);
  const auto n = static_cast<int64_t>(step);
  AdamNumbers s{a[0], a[1], a[2], a[3], a[4], 1 - power(a[1], n), std::sqrt(1 - power(a[2], n)), a[6] != 0};
  for (int i = 0; i < count; i++)
    if (!float_block(call.out(i)) || !alike(call.out(i), call.in(i)) || !alike(call.out(i), call.out(count + i)) ||
        !alike(call.out(i), call.out(2 * count + i)))
      return fail(Code::SHAPE, kOperands, i);
  const OptimTable& table = kernels().optim;
  return over_pieces(call, count, [&](int i, int64_t first, int64_t n) {
    table.adam[call.out(i).dtype == DType::F64](at(call.out(i), first), at(call.in(i), first),
                                                at(call.out(count + i), first), at(call.out(2 * count + i), first), n,
                                                s);
  });
}

Status run_rmsprop(const Call& call) {
  const int count = call.n_in, buffers = buffers_of(call, 1, 3);
  if (call.n_attr != 5 || buffers < 0) return fail(Code::NATIVE, kOperands);
  const double* a = call.attrs;
  const RmspropNumbers s{a[0], a[1], a[2], a[3], a[4]};
  return over_pieces(call, count, [&](int i, int64_t first, int64_t n) {
    auto buffer = [&](int b) { return buffers >= b ? at(call.out(b * count + i), first) : nullptr; };
    kernels().optim.rmsprop[call.out(i).dtype == DType::F64](at(call.out(i), first), at(call.in(i), first), buffer(1),
                                                             buffer(2), buffer(3), n, s);
  });
}

Status run_adagrad(const Call& call) {
  const int count = call.n_in;
  if (call.n_attr != 5 || buffers_of(call, 1, 1) < 0) return fail(Code::NATIVE, kOperands);
  const double* a = call.attrs;
  const AdagradNumbers s{a[0], a[1], a[2], a[3], a[4] != 0};
  return over_pieces(call, count, [&](int i, int64_t first, int64_t n) {
    kernels().optim.adagrad[call.out(i).dtype == DType::F64](at(call.out(i), first), at(call.in(i), first),
                                                             at(call.out(count + i), first), n, s);
  });
}

Status run_lion(const Call& call) {
  const int count = call.n_in;
  if (call.n_attr != 4 || buffers_of(call, 1, 1) < 0) return fail(Code::NATIVE, kOperands);
  const double* a = call.attrs;
  const LionNumbers s{a[0], a[1], a[2], a[3]};
  return over_pieces(call, count, [&](int i, int64_t first, int64_t n) {
    kernels().optim.lion[call.out(i).dtype == DType::F64](at(call.out(i), first), at(call.in(i), first),
                                                          at(call.out(count + i), first), n, s);
  });
}

Status run_weighted_sum(const Call& call) {
  const int sources = call.n_attr, count = call.n_out;
  if (sources < 1 || int64_t{count} * sources != call.n_in) return fail(Code::NATIVE, kOperands);
  for (int i = 0; i < count; i++) {
    if (!float_block(call.out(i))) return fail(Code::SHAPE, kOperands, i);
    for (int s = 0; s < sources; s++)
      if (!alike(call.out(i), call.in(i * sources + s))) return fail(Code::SHAPE, kOperands, i);
  }
  const OptimTable& table = kernels().optim;
  return over_pieces(call, count, [&](int i, int64_t first, int64_t n) {
    constexpr int kGroup = 64;
    const void* from[kGroup + 1];
    double weights[kGroup + 1];
    char* out = at(call.out(i), first);
    // Many sources are summed in groups; the partial sum is the first source of the next group.
    for (int s = 0; s < sources; s += kGroup) {
      int size = 0;
      if (s > 0) {
        from[size] = out;
        weights[size++] = 1;
      }
      for (int j = s; j < sources && j < s + kGroup; j++) {
        from[size] = at(call.in(i * sources + j), first);
        weights[size++] = call.attrs[j];
      }
      table.weighted_sum[call.out(i).dtype == DType::F64](out, from, weights, size, n);
    }
  });
}

}  // namespace nabla
