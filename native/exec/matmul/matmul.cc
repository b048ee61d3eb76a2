#include "exec/matmul/matmul.h"

#include <utility>

#include "exec/matmul/gemm.h"
#include "runtime/workspace.h"

namespace nabla {
namespace {

constexpr const char* kShapes = "the operands do not fit a matrix product";

Matrix matrix(const View& v) { return {v.data, v.strides[v.rank - 2], v.strides[v.rank - 1], v.dtype == DType::BF16}; }

// bfloat16 operands are read as float32; results are float32.
bool fits(DType operand, DType out) { return operand == out || (operand == DType::BF16 && out == DType::F32); }

// The stride of batch dimension d of the result in an operand: 0 if it broadcasts; sets `ok` to -1 if it does not fit.
bool batch_step(const View& v, const View& out, int d, int64_t& step) {
  int own = d - (out.rank - v.rank);
  step = 0;
  if (own < 0) return true;
  if (v.dims[own] == out.dims[d]) step = v.dims[own] == 1 ? 0 : v.strides[own];
  return v.dims[own] == out.dims[d] || v.dims[own] == 1;
}

// Whether batch and rows of `a` form one matrix, so that products with the same b become a single, taller product.
bool rows_continue(const View& a) {
  int64_t expected = a.strides[a.rank - 2] * a.dims[a.rank - 2];
  for (int d = a.rank - 3; d >= 0; d--) {
    if (a.dims[d] != 1 && a.strides[d] != expected) return false;
    expected *= a.dims[d];
  }
  return true;
}

// out = a · b (+ bias) (+ addend), or 0 where that is less and `relu`; null where there is none.
Status multiply(const Call& call, const View& a, const View& b, const View* bias, const View* addend,
                bool relu = false) {
  const View& out = call.out();
  if (a.rank < 2 || b.rank < 2 || out.rank < a.rank || out.rank < b.rank || a.scalar || b.scalar)
    return fail(Code::SHAPE, kShapes);
  const int64_t m = a.dims[a.rank - 2], k = a.dims[a.rank - 1], n = b.dims[b.rank - 1];
  if (b.dims[b.rank - 2] != k || out.dims[out.rank - 2] != m || out.dims[out.rank - 1] != n || !out.contiguous())
    return fail(Code::SHAPE, kShapes);
  if (!fits(a.dtype, out.dtype) || !fits(b.dtype, out.dtype) || out.dtype == DType::U8 || out.dtype == DType::BOOL ||
      is_half(out.dtype))
    return fail(Code::DTYPE, "the op is not defined for this dtype");
  if (relu && !is_float(out.dtype)) return fail(Code::DTYPE, "the op is not defined for this dtype");
  GemmEpilogue epilogue;
  epilogue.relu = relu;
  if (bias) {
    if (bias->rank != 1 || bias->dims[0] != n || !bias->contiguous() || bias->dtype != out.dtype || bias->scalar)
      return fail(Code::SHAPE, "the bias must be contiguous, of the result's last size", 3);
    epilogue.bias = bias->data;
  }
  if (addend) {
    if (addend->scalar || addend->dtype != out.dtype || !same_shape(*addend, out) ||
        (n > 1 && addend->strides[out.rank - 1] != 1))
      return fail(Code::SHAPE, "the addend must have the result's shape, and rows that lie in one piece", 3);
    epilogue.addend = addend->data;
    epilogue.addend_row = addend->strides[out.rank - 2];
  }
  const int batch_rank = out.rank - 2;
  int64_t count = 1;
  bool one_b = true;
  int64_t a_steps[kMaxRank], b_steps[kMaxRank];
  for (int d = 0; d < batch_rank; d++) {
    if (!batch_step(a, out, d, a_steps[d]) || !batch_step(b, out, d, b_steps[d])) return fail(Code::SHAPE, kShapes);
    if (b_steps[d] != 0) one_b = false;
    count *= out.dims[d];
  }
  if (count == 0 || m == 0 || n == 0) return {};
  if (count == 1 || (one_b && a.rank == out.rank && a.numel() == count * m * k && rows_continue(a) &&
                     (!addend || rows_continue(*addend))))
    return gemm(call.workspace, out.dtype, count * m, n, k, matrix(a), matrix(b), out.data, n, epilogue);

  Scratch memory(call.workspace);
  auto* a_at = memory.get<int64_t>(4 * count);
  if (!a_at) return out_of_memory();
  int64_t *b_at = a_at + count, *c_at = b_at + count, *addend_at = c_at + count;
  for (int64_t i = 0; i < count; i++) {
    a_at[i] = b_at[i] = addend_at[i] = 0;
    int64_t rest = i;
    for (int d = batch_rank - 1; d >= 0; d--) {
      const int64_t at = rest % out.dims[d];
      a_at[i] += at * a_steps[d];
      b_at[i] += at * b_steps[d];
      if (addend) addend_at[i] += at * addend->strides[d];
      rest /= out.dims[d];
    }
    c_at[i] = i * m * n;
  }
  return gemm_batched(call.workspace, out.dtype, count, m, n, k, matrix(a), a_at, matrix(b), b_at, out.data, c_at, n,
                      epilogue, addend_at);
}

bool takes(const Call& call, int inputs) { return call.n_out == 1 && call.n_in == inputs && call.n_attr == 0; }

Status multiply_transposed(const Call& call, bool relu) {
  if (!takes(call, 3)) return fail(Code::NATIVE, kShapes);
  View weight = call.in(1);
  if (weight.rank != 2) return fail(Code::SHAPE, kShapes);
  std::swap(weight.dims[0], weight.dims[1]);
  std::swap(weight.strides[0], weight.strides[1]);
  return multiply(call, call.in(0), weight, &call.in(2), nullptr, relu);
}

}  // namespace

Status run_matmul(const Call& call) {
  if (!takes(call, 2)) return fail(Code::NATIVE, kShapes);
  return multiply(call, call.in(0), call.in(1), nullptr, nullptr);
}

Status run_addmm(const Call& call) {
  if (!takes(call, 3)) return fail(Code::NATIVE, kShapes);
  return multiply(call, call.in(1), call.in(2), nullptr, &call.in(0));
}

Status run_linear(const Call& call) { return multiply_transposed(call, false); }
Status run_linear_relu(const Call& call) { return multiply_transposed(call, true); }

}  // namespace nabla
