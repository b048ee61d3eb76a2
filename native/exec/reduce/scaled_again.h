// Results of doubles that overflowed or underflowed on the way, computed again from scaled elements.
#pragma once
#include <algorithm>

#include "exec/call.h"
#include "exec/common/dense_like.h"
#include "exec/elementwise/elementwise.h"
#include "runtime/workspace.h"

namespace nabla {

// The factor of the elements, the power of it in the result, and the range of results that are not recomputed.
struct Scaling {
  double unit;
  int power;
  double least, most;
};

// x times a number, as doubles in scratch memory.
inline Status scaled_copy(View& scaled, Scratch& memory, const View& x, double unit) {
  scaled = dense_like(x, DType::F64, memory);
  if (!scaled.data) return out_of_memory();
  return multiply(scaled, x, number(DType::F64, &unit));
}

// f computes the call, whose result and whose one input are doubles.
template <class F>
Status scaled_again(const Call& call, const Scaling& by, F&& f) {
  const View &out = call.out(), &x = call.in(0);
  const int64_t n = out.numel();
  double* results = out.as<double>();
  const auto lost = [=](double y) { return by.unit < 1 ? !(y >= -by.most && y <= by.most) : y < by.least; };
  if (std::none_of(results, results + n, lost)) return {};
  Scratch scaled(call.workspace), again(call.workspace);
  View operands[2] = {out, x};
  operands[0].data = again.get<double>(n);
  if (!operands[0].data) return out_of_memory();
  NABLA_TRY(scaled_copy(operands[1], scaled, x, by.unit));
  NABLA_TRY(f(Call{-1, 1, 1, call.n_attr, operands, call.attrs, call.workspace}));
  const double* found = operands[0].as<double>();
  for (int64_t i = 0; i < n; i++)
    if (lost(results[i])) results[i] = by.power == 1 ? found[i] / by.unit : found[i] / by.unit / by.unit;
  return {};
}

}  // namespace nabla
