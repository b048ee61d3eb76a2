#include "exec/attention/attention.h"

#include <atomic>
#include <cstring>

#include "exec/attention/parts.h"
#include "exec/common/halves.h"
#include "runtime/pool.h"

namespace nabla {

namespace {

constexpr const char* kOperands = "the operands do not fit attention";

constexpr int64_t kBlockQueries = 48;
constexpr int64_t kTaskQueries = 8 * kBlockQueries;  // packed keys and values serve as many
constexpr int64_t kBlockKeys = kGemmDepth * 2;

bool batch_fits(const View& v, const View& out, int tail, int own) {
  if (v.rank - own != out.rank - tail) return false;
  for (int d = 0; d < out.rank - tail; d++)
    if (v.dims[d] != out.dims[d]) return false;
  return true;
}

}  // namespace

Status Attention::open(const Call& call, const View& out, int first, int mask_at) {
  query = call.in(first);
  key = call.in(first + 1);
  value = call.in(first + 2);
  if (call.n_attr < 3) return fail(Code::NATIVE, kOperands);
  type = computed(out.dtype);
  if (!is_float(type) || !reads_as(query.dtype, type) || !reads_as(key.dtype, type) || !reads_as(value.dtype, type))
    return fail(Code::DTYPE, "the op is not defined for these dtypes");
  if (out.rank < 3 || query.scalar || key.scalar || value.scalar || query.rank != out.rank ||
      key.rank != out.rank - 1 || value.rank != out.rank - 1 || !batch_fits(query, out, 3, 3) ||
      !batch_fits(key, out, 3, 2) || !batch_fits(value, out, 3, 2))
    return fail(Code::SHAPE, kOperands);
  groups = out.dims[out.rank - 3];
  queries = out.dims[out.rank - 2];
  width = out.dims[out.rank - 1];
  keys = key.dims[key.rank - 2];
  size = key.dims[key.rank - 1];
  if (query.dims[query.rank - 3] != groups || query.dims[query.rank - 2] != queries ||
      query.dims[query.rank - 1] != size || value.dims[value.rank - 2] != keys || value.dims[value.rank - 1] != width)
    return fail(Code::SHAPE, kOperands);
  items = 1;
  for (int d = 0; d < out.rank - 3; d++) items *= out.dims[d];
  masking = AttentionMask::NONE;
  if (mask_at < call.n_in) {
    mask = call.in(mask_at);
    if (mask.scalar || mask.rank != out.rank || !batch_fits(mask, out, 3, 3) || mask.dims[mask.rank - 3] != groups ||
        mask.dims[mask.rank - 2] != queries || mask.dims[mask.rank - 1] != keys)
      return fail(Code::SHAPE, kOperands);
    if (mask.dtype != DType::BOOL && mask.dtype != type) return fail(Code::DTYPE, kOperands);
    masking = mask.dtype == DType::BOOL ? AttentionMask::SEEN : AttentionMask::ADDED;
  }
  scale = call.attrs[0];
  causal = call.attrs[1] != 0;
  p = call.attrs[2];
  if (!(p >= 0 && p < 1) || (p > 0 && (call.n_attr != 6 || !stream_of(call.attrs + 3, stream))))
    return fail(Code::NATIVE, kOperands);
  return {};
}

Status Attention::take(const View& residual, const View& out) {
  if (residual.scalar || residual.dtype != type || !residual.contiguous()) return fail(Code::SHAPE, kOperands);
  const bool rounded = is_half(out.dtype);
  const int64_t elements = residual.numel() - (rounded ? out.numel() : 0);
  if (elements == rows() && residual.rank == (rounded ? 1 : out.rank - 1)) return {};
  if (residual.rank != (rounded ? 1 : out.rank)) return fail(Code::SHAPE, kOperands);
  kept = rounded ? elements / larger(rows(), 1) : residual.dims[residual.rank - 1];
  if (elements != rows() * kept || kept <= keys || keys > kAttentionRow) return fail(Code::SHAPE, kOperands);
  return {};
}

namespace {

// A block of queries of one group of one item, against all keys.
template <class T>
class ForwardTask {
 public:
  ForwardTask(const Attention& a, T* memory)
      : a_(a),
        gemm_(attention_gemm<T>()),
        kernels_(kernels().attention.of[sizeof(T) == 8]),
        block_keys_(a.keys <= kAttentionRow ? a.keys : kBlockKeys),
        parts_(memory) {
    const int64_t rows = smaller(a.queries, kTaskQueries), stride = attention_row(block_keys_);
    query_ = parts_.take(smaller(rows, kBlockQueries) * a.size);
    scores_ = parts_.take(smaller(rows, kBlockQueries) * stride);
    dropped_ = a.p > 0 ? parts_.take(smaller(rows, kBlockQueries) * stride) : nullptr;
    uniform_ = a.p > 0 ? parts_.take(block_keys_) : nullptr;
    top_ = parts_.take(rows);
    total_ = parts_.take(rows);
    fade_ = parts_.take(rows);
    const bool halves = is_half(a.key.dtype) || is_half(a.value.dtype);
    tile_ = halves ? parts_.take(smaller(a.keys, block_keys_) * larger(a.size, a.width)) : nullptr;
    keys_ = parts_.take(Panels<T>::elements(gemm_, block_keys_, a.size));
    values_ = parts_.take(Panels<T>::elements(gemm_, a.width, block_keys_));
  }
  int64_t elements() const { return parts_.taken(); }

  // `weights` and `lse` may be null; out is [rows, width].
  void run(int64_t i, int64_t g, int64_t first, int64_t rows, T* out, T* weights, T* lse) {
    for (int64_t r = 0; r < rows; r++) {
      top_[r] = -__builtin_inff();
      total_[r] = 0;
    }
    const int64_t end = a_.causal ? smaller(a_.keys, first + rows) : a_.keys;
    for (int64_t col = 0; col < end; col += block_keys_) {
      const int64_t cols = smaller(end - col, block_keys_);
      const Panels<T> keys{keys_, cols, a_.size}, values{values_, a_.width, cols};
      const auto key = a_.read<T>(a_.key, false, i, 0, col, cols, tile_);
      keys.pack(gemm_, key.data, key.col, key.row);
      const auto value = a_.read<T>(a_.value, false, i, 0, col, cols, tile_);
      values.pack(gemm_, value.data, value.row, value.col);
      for (int64_t r = 0; r < rows; r += kBlockQueries) {
        const int64_t height = smaller(rows - r, kBlockQueries);
        const int64_t seen = a_.seen(col, cols, first + r + height);
        if (seen > 0)
          add(i, g, first + r, height, r, col, seen, keys, values, out + r * a_.width,
              weights ? weights + r * a_.kept : nullptr);
      }
    }
    kernels_.finish(total_, lse ? lse : fade_, top_, rows);
    kernels_.scale(out, a_.width, out, a_.width, 1, rows, a_.width, 1, total_);
    if (!weights) return;
    for (int64_t r = 0; r < rows; r++) weights[(r + 1) * a_.kept - 1] = total_[r];
  }

 private:
  void add(int64_t i, int64_t g, int64_t row, int64_t rows, int64_t r, int64_t col, int64_t cols, const Panels<T>& keys,
           const Panels<T>& values, T* out, T* weights) {
    const auto query = a_.read<T>(a_.query, true, i, g, row, rows, query_);
    kernels_.scale(query_, a_.size, query.data, query.row, query.col, rows, a_.size, a_.scale, nullptr);
    T* scores = weights ? weights : scores_;
    const int64_t stride = weights ? a_.kept : attention_row(block_keys_);
    keys.multiply(gemm_, rows, cols, a_.size, query_, a_.size, scores, stride, false);
    // Kept weights are read in other blocks of queries, which attend to later keys.
    const int64_t clear = weights ? smaller(round_up(row + rows, kAttentionQueries), a_.keys) : cols;
    kernels_.weigh(a_.block(scores, stride, i, g, row, rows, col, cols), larger(clear, cols), top_ + r, total_ + r,
                   fade_ + r);
    if (a_.p > 0) {
      const int64_t dropped_stride = attention_row(block_keys_);
      for (int64_t k = 0; k < rows; k++)
        a_.drop(kernels_, dropped_ + k * dropped_stride, scores + k * stride, uniform_, i, g, row + k, col, cols);
      if (col > 0) kernels_.scale(out, a_.width, out, a_.width, 1, rows, a_.width, 1, fade_ + r);
      values.multiply(gemm_, rows, a_.width, cols, dropped_, dropped_stride, out, a_.width, col > 0);
      return;
    }
    if (col > 0) kernels_.scale(out, a_.width, out, a_.width, 1, rows, a_.width, 1, fade_ + r);
    values.multiply(gemm_, rows, a_.width, cols, scores, stride, out, a_.width, col > 0);
  }

  const Attention& a_;
  const GemmKernels<T>& gemm_;
  const AttentionKernels& kernels_;
  const int64_t block_keys_;
  Parts<T> parts_;
  T *query_, *scores_, *dropped_, *uniform_, *top_, *total_, *fade_, *tile_, *keys_, *values_;
};

template <class T>
Status forward(const Call& call, const Attention& a) {
  Workspace& workspace = call.workspace;
  const View* kept = call.n_out == 2 ? &call.out(1) : nullptr;
  T* weights = kept && a.kept > 0 ? kept->as<T>() : nullptr;
  T* lse = kept && a.kept == 0 ? kept->as<T>() : nullptr;
  T* unrounded = kept && is_half(call.out().dtype) ? a.unrounded<T>(*kept) : nullptr;
  const Sink sink(call.out().data, call.out().dtype);
  const int64_t tasks = count(a.queries, kTaskQueries);
  const int64_t elements = ForwardTask<T>(a, nullptr).elements();
  std::atomic<bool> failed{false};
  parallel_for(a.items * a.groups * tasks, [&](int64_t t) {
    Scratch memory(workspace);
    T* block = memory.get<T>(elements);
    if (!block) {
      failed.store(true, std::memory_order_relaxed);
      return;
    }
    // With a causal mask the last queries have the most keys, so they go first.
    const int64_t item = t / tasks, first = (tasks - 1 - t % tasks) * kTaskQueries, at = item * a.queries + first;
    const int64_t rows = smaller(a.queries - first, kTaskQueries), n = rows * a.width;
    Scratch tile(workspace);
    T* out = unrounded ? unrounded + at * a.width : reinterpret_cast<T*>(sink.open(tile, at * a.width, n));
    if (!out) return;
    ForwardTask<T>(a, block).run(item / a.groups, item % a.groups, first, rows, out,
                                 weights ? weights + at * a.kept : nullptr, lse ? lse + at : nullptr);
    sink.close(reinterpret_cast<const char*>(out), at * a.width, n);
  });
  return failed.load() ? out_of_memory() : sink.status();
}

}  // namespace

Status run_attention(const Call& call) {
  if (call.n_out < 1 || call.n_out > 2 || call.n_in < 3 || call.n_in > 4) return fail(Code::NATIVE, kOperands);
  const View& out = call.out();
  Attention a;
  NABLA_TRY(a.open(call, out, 0, 3));
  if (!out.contiguous()) return fail(Code::SHAPE, kOperands);
  const bool keeps = call.n_out == 2;
  if (keeps) NABLA_TRY(a.take(call.out(1), out));
  if (out.numel() == 0 && (!keeps || call.out(1).numel() == 0)) return {};
  if (a.keys == 0) {
    for (int i = 0; i < call.n_out; i++)
      std::memset(call.out(i).data, 0, static_cast<size_t>(call.out(i).numel()) * size_of(call.out(i).dtype));
    return {};
  }
  return a.type == DType::F32 ? forward<float>(call, a) : forward<double>(call, a);
}

}  // namespace nabla
