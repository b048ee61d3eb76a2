#include "exec/optim/optim.h"

#include "exec/common/tuning.h"
#include "exec/elementwise/elementwise.h"
#include "kernels/list.h"
#include "kernels/table.h"
#include "runtime/pool.h"
#include "runtime/workspace.h"

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
  Scratch list_memory(call.workspace), tasks_memory(call.workspace);
  auto* list = list_memory.get<Piece>(most);
  auto* tasks = tasks_memory.get<int64_t>(most + 1);
  if (!list || !tasks) return out_of_memory();
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

}  // namespace

// The outputs are, for each gradient, a parameter and its buffers: all parameters first, then all first buffers, ...
Status run_optimizer(const Call& call, int kernel) {
  const OptimizerInfo& info = kOptimizers[kernel];
  const int count = call.n_in, buffers = count > 0 ? call.n_out / count - 1 : -1;
  if (call.n_attr != info.numbers || buffers < info.least || buffers > info.most || call.n_out != (buffers + 1) * count)
    return fail(Code::NATIVE, kOperands);
  for (int i = 0; i < call.n_out; i++) {
    const View& parameter = call.out(i % count);
    if (!float_block(parameter) || !alike(parameter, call.out(i)) || !alike(parameter, call.in(i % count)))
      return fail(Code::SHAPE, kOperands, i);
  }
  const StepFn* step = kernels().optim.step[kernel];
  return over_pieces(call, count, [&](int i, int64_t first, int64_t n) {
    void* state[kMostBuffers] = {};
    for (int b = 0; b < buffers; b++) state[b] = at(call.out((b + 1) * count + i), first);
    step[call.out(i).dtype == DType::F64](at(call.out(i), first), at(call.in(i), first), state, n, call.attrs);
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

const ListStamp optim_stamp = {"native/exec/optim/optim.cc", kListHash};

}  // namespace nabla
