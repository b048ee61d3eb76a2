#include "exec/random/random.h"

#include <cmath>

#include "exec/common/tuning.h"
#include "kernels/table.h"
#include "runtime/pool.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit the kernel";

bool word(double x, double bound) { return x >= 0 && x < bound && x == std::floor(x); }

bool stream_of(const Call& call, RandomStream& s) { return call.n_attr >= 3 && stream_of(call.attrs, s); }

template <class F>
void in_chunks(int64_t total, F&& f) {
  parallel_for((total + kRandomChunk - 1) / kRandomChunk, [&](int64_t chunk) {
    int64_t start = chunk * kRandomChunk;
    f(start, total - start < kRandomChunk ? total - start : kRandomChunk);
  });
}

Status fill(const Call& call, const RandomFn (&leaves)[2]) {
  RandomStream stream;
  const View& out = call.out();
  const double first = call.n_attr > 3 ? call.attrs[3] : 0;
  if (call.n_out != 1 || call.n_in != 0 || !stream_of(call, stream) || !out.contiguous() ||
      !word(first, 9007199254740992.0) || std::fmod(first, static_cast<double>(kRandomChunk)) != 0)
    return fail(Code::NATIVE, kOperands);
  if (!is_float(out.dtype)) return fail(Code::DTYPE, "the op is not defined for this dtype");
  int64_t size = static_cast<int64_t>(size_of(out.dtype));
  RandomFn leaf = leaves[out.dtype == DType::F64];
  in_chunks(out.numel(), [&](int64_t start, int64_t n) {
    leaf(out.as<char>() + start * size, static_cast<int64_t>(first) + start, n, stream);
  });
  return {};
}

template <class T>
void drop(T* out, const T* x, const T* uniform, int64_t n, double p) {
  const T bound = static_cast<T>(p), scale = static_cast<T>(1 / (1 - p));
  for (int64_t i = 0; i < n; i++) out[i] = uniform[i] >= bound ? x[i] * scale : T(0);
}

template <class T>
void permute(T* order, int64_t n, int64_t first, const RandomStream& stream) {
  constexpr int64_t kTile = 1024;
  alignas(64) double picks[kTile];
  for (int64_t i = 0; i < n; i++) order[i] = static_cast<T>(i);
  for (int64_t end = n; end > 0;) {
    const int64_t start = (end - 1) / kTile * kTile;
    kernels().random.uniform[1](picks, first + start, end - start, stream);
    for (; end > start; end--) {
      const auto other = static_cast<int64_t>(picks[end - 1 - start] * static_cast<double>(end));
      const T held = order[end - 1];
      order[end - 1] = order[other];
      order[other] = held;
    }
  }
}

}  // namespace

bool stream_of(const double* words, RandomStream& s) {
  if (!word(words[0], 4294967296.0) || !word(words[1], 4294967296.0) || !word(words[2], 9007199254740992.0))
    return false;
  s.key[0] = static_cast<uint32_t>(words[0]);
  s.key[1] = static_cast<uint32_t>(words[1]);
  s.stream = static_cast<uint64_t>(words[2]);
  return true;
}

Status run_uniform(const Call& call) { return fill(call, kernels().random.uniform); }
Status run_normal(const Call& call) { return fill(call, kernels().random.normal); }

Status run_random_integers(const Call& call) {
  RandomStream stream;
  const View& out = call.out();
  if (call.n_out != 1 || call.n_in != 0 || call.n_attr != 5 || !stream_of(call, stream) || !out.contiguous() ||
      !(call.attrs[3] >= -9007199254740992.0 && call.attrs[3] <= 9007199254740992.0) ||
      !word(call.attrs[4], 9007199254740992.0) || call.attrs[4] < 1)
    return fail(Code::NATIVE, kOperands);
  if (out.dtype != DType::I32 && out.dtype != DType::I64)
    return fail(Code::DTYPE, "the op is not defined for this dtype");
  int64_t size = static_cast<int64_t>(size_of(out.dtype));
  RandomIntegerFn leaf = kernels().random.integers[out.dtype == DType::I64];
  in_chunks(out.numel(), [&](int64_t start, int64_t n) {
    leaf(out.as<char>() + start * size, start, n, stream, static_cast<int64_t>(call.attrs[3]),
         static_cast<uint64_t>(call.attrs[4]));
  });
  return {};
}

Status run_permutation(const Call& call) {
  RandomStream stream;
  const View& out = call.out();
  if (call.n_out != 1 || call.n_in != 0 || call.n_attr != 3 || !stream_of(call, stream) || !out.contiguous())
    return fail(Code::NATIVE, kOperands);
  if (out.dtype != DType::I32 && out.dtype != DType::I64)
    return fail(Code::DTYPE, "the op is not defined for this dtype");
  const int64_t n = out.rank > 0 ? out.dims[out.rank - 1] : 0;
  if (out.rank == 0 || (out.dtype == DType::I32 && n > int64_t{1} << 31)) return fail(Code::SHAPE, kOperands);
  const int64_t rows = n > 0 ? out.numel() / n : 0;
  parallel_for(rows, [&](int64_t r) {
    if (out.dtype == DType::I32)
      permute(out.as<int32_t>() + r * n, n, r * n, stream);
    else
      permute(out.as<int64_t>() + r * n, n, r * n, stream);
  });
  return {};
}

Status run_dropout(const Call& call) {
  RandomStream stream;
  if (call.n_out != 1 || call.n_in != 1 || call.n_attr != 4 || !stream_of(call, stream))
    return fail(Code::NATIVE, kOperands);
  const View &out = call.out(), &x = call.in(0);
  double p = call.attrs[3];
  if (!(p >= 0 && p < 1) || !same_shape(out, x) || !out.contiguous() || !x.contiguous() || x.dtype != out.dtype)
    return fail(Code::SHAPE, kOperands);
  if (!is_float(out.dtype)) return fail(Code::DTYPE, "the op is not defined for this dtype");
  const RandomTable& random = kernels().random;
  in_chunks(out.numel(), [&](int64_t start, int64_t n) {
    constexpr int64_t kTile = 1024;
    alignas(64) char tile[kTile * 8];
    for (int64_t at = start; at < start + n; at += kTile) {
      int64_t count = start + n - at < kTile ? start + n - at : kTile;
      if (out.dtype == DType::F32) {
        random.uniform[0](tile, at, count, stream);
        drop(out.as<float>() + at, x.as<float>() + at, reinterpret_cast<float*>(tile), count, p);
      } else {
        random.uniform[1](tile, at, count, stream);
        drop(out.as<double>() + at, x.as<double>() + at, reinterpret_cast<double*>(tile), count, p);
      }
    }
  });
  return {};
}

}  // namespace nabla
