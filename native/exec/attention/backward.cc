#include <atomic>
#include <cstring>

#include "exec/attention/attention.h"
#include "exec/attention/parts.h"
#include "runtime/pool.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit attention";

constexpr int64_t kBlockKeys = 128;
constexpr int64_t kTasks = 16;     // as many as a split of the keys for the sake of threads makes
constexpr int64_t kMostParts = 8;  // each has a gradient of the queries of its own

// What the rows bring, made once: queries times the scale, gradients times the factors of the rows (1 where weights add
// up to 1), and delta, the sum of gradient times result.
template <class T>
struct Rows {
  T *query, *gradient, *delta;
};

template <class T>
struct Gradients {
  T *query, *key, *value;  // query: [parts][items * groups * queries, size] where there are several parts
};

template <class T>
struct Backward {
  const Attention& a;
  const GemmKernels<T>& gemm;
  const AttentionKernels& kernels;
  View gradient;
  const T *out, *weights, *lse;
  Rows<T> rows;
  Gradients<T> to;
  int64_t parts, part_keys;

  int64_t total_rows() const { return a.items * a.groups * a.queries; }

  void prepare(int64_t item, int64_t row, int64_t count) const {
    const int64_t i = item / a.groups, g = item % a.groups, at = item * a.queries + row;
    const int64_t q_row = a.query.strides[a.query.rank - 2], q_col = a.query.strides[a.query.rank - 1];
    kernels.scale(rows.query + at * a.size, a.size, a.at<T>(a.query, true, i, g) + row * q_row, q_row, q_col, count,
                  a.size, a.scale, nullptr);
    T factors[kAttentionQueries];
    for (int64_t r = 0; r < count; r++) factors[r] = weights ? weights[(at + r + 1) * a.kept - 1] : T(1);
    const int64_t g_row = gradient.strides[gradient.rank - 2], g_col = gradient.strides[gradient.rank - 1];
    T* scaled = rows.gradient + at * a.width;
    kernels.scale(scaled, a.width, a.at<T>(gradient, true, i, g) + row * g_row, g_row, g_col, count, a.width, 1,
                  factors);
    kernels.dots(rows.delta + at, scaled, a.width, out + at * a.width, a.width, count, a.width);
  }
};

// The keys of one part of one item, against all its queries.
template <class T>
class BackwardTask {
 public:
  BackwardTask(const Backward<T>& b, T* memory) : b_(b), a_(b.a), parts_(memory) {
    const int64_t rows = smaller(a_.queries, kAttentionQueries), cols = smaller(a_.keys, kBlockKeys);
    stride_ = attention_row(cols);
    scores_ = parts_.take(rows * stride_);
    slopes_ = parts_.take(rows * stride_);
    dropped_ = a_.p > 0 ? parts_.take(rows * stride_) : nullptr;
    uniform_ = a_.p > 0 ? parts_.take(cols) : nullptr;
    keys_ = parts_.take(Panels<T>::elements(b.gemm, a_.size, cols));
    values_ = parts_.take(Panels<T>::elements(b.gemm, cols, a_.width));
    transposed_ = b.weights ? nullptr : parts_.take(Panels<T>::elements(b.gemm, cols, a_.size));
  }
  int64_t elements() const { return parts_.taken(); }

  void run(int64_t i, int64_t part) {
    const int64_t from = part * b_.part_keys, end = smaller(a_.keys, from + b_.part_keys);
    T* query = b_.to.query + part * (b_.parts > 1 ? b_.total_rows() * a_.size : 0);
    for (int64_t col = from; col < end; col += kBlockKeys)
      add_keys(i, col, smaller(end - col, kBlockKeys), query, col > from);
  }

 private:
  void add_keys(int64_t i, int64_t col, int64_t cols, T* query, bool accumulate) {
    const T* key = a_.at<T>(a_.key, false, i, 0);
    const T* value = a_.at<T>(a_.value, false, i, 0);
    const int64_t key_row = a_.key.strides[a_.key.rank - 2], key_col = a_.key.strides[a_.key.rank - 1];
    const int64_t value_row = a_.value.strides[a_.value.rank - 2], value_col = a_.value.strides[a_.value.rank - 1];
    const Panels<T> keys{keys_, a_.size, cols}, values{values_, cols, a_.width}, transposed{transposed_, cols, a_.size};
    keys.pack(b_.gemm, key + col * key_row, key_row, key_col);
    values.pack(b_.gemm, value + col * value_row, value_col, value_row);
    if (transposed_) transposed.pack(b_.gemm, key + col * key_row, key_col, key_row);
    T* to_key = b_.to.key + (i * a_.keys + col) * a_.size;
    T* to_value = b_.to.value + (i * a_.keys + col) * a_.width;
    bool first = true;
    for (int64_t g = 0; g < a_.groups; g++) {
      for (int64_t row = 0; row < a_.queries; row += kAttentionQueries) {
        const int64_t rows = smaller(a_.queries - row, kAttentionQueries), seen = a_.seen(col, cols, row + rows);
        T* to_query = query + ((i * a_.groups + g) * a_.queries + row) * a_.size;
        if (seen <= 0) {
          if (!accumulate) std::memset(to_query, 0, static_cast<size_t>(rows * a_.size) * sizeof(T));
          continue;
        }
        add_block({i, g, row, rows, col, seen}, first ? cols : seen, keys, values, transposed, to_query, accumulate,
                  to_key, to_value, first);
        first = false;
      }
    }
    if (!first) return;
    std::memset(to_key, 0, static_cast<size_t>(cols * a_.size) * sizeof(T));
    std::memset(to_value, 0, static_cast<size_t>(cols * a_.width) * sizeof(T));
  }

  static constexpr int64_t kLine = 64 / sizeof(T);

  struct Place {
    int64_t i, g, row, rows, col, cols;
  };

  void add_block(const Place& at, int64_t all, const Panels<T>& keys, const Panels<T>& values,
                 const Panels<T>& transposed, T* to_query, bool accumulate, T* to_key, T* to_value, bool first) {
    const auto& [i, g, row, rows, col, cols] = at;
    const int64_t from = (i * a_.groups + g) * a_.queries + row;
    const T* query = b_.rows.query + from * a_.size;
    const T* gradient = b_.rows.gradient + from * a_.width;
    const T* weights = scores_;
    int64_t stride = stride_;
    if (b_.weights) {
      stride = a_.kept;
      weights = b_.weights + from * stride + col;
      // Short runs that are not in the cache: prefetched while the gradients are multiplied.
      for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < cols; c += kLine) __builtin_prefetch(weights + r * stride + c, 0, 2);
    } else {
      transposed.multiply(b_.gemm, rows, cols, a_.size, query, a_.size, scores_, stride_, false);
      b_.kernels.weigh_again(a_.block(scores_, stride_, i, g, row, rows, col, cols), b_.lse + from);
    }
    values.multiply(b_.gemm, rows, cols, a_.width, gradient, a_.width, slopes_, stride_, false);
    const T* used = weights;
    int64_t used_stride = stride;
    if (a_.p > 0) {
      for (int64_t r = 0; r < rows; r++) {
        a_.drop(b_.kernels, dropped_ + r * stride_, weights + r * stride, uniform_, i, g, row + r, col, cols);
        b_.kernels.drop(slopes_ + r * stride_, slopes_ + r * stride_, uniform_, cols, a_.p);
      }
      used = dropped_;
      used_stride = stride_;
    }
    multiply_rows(b_.gemm, cols, a_.width, rows, used, int64_t{1}, used_stride, gradient, a_.width, to_value, a_.width,
                  !first);
    b_.kernels.gradient(a_.block(const_cast<T*>(weights), stride, i, g, row, rows, col, cols), slopes_, stride_,
                        b_.rows.delta + from);
    keys.multiply(b_.gemm, rows, a_.size, cols, slopes_, stride_, to_query, a_.size, accumulate);
    multiply_rows(b_.gemm, cols, a_.size, rows, slopes_, int64_t{1}, stride_, query, a_.size, to_key, a_.size, !first);
    if (all == cols) return;
    // The first queries do not attend to the last keys of the block.
    std::memset(to_key + cols * a_.size, 0, static_cast<size_t>((all - cols) * a_.size) * sizeof(T));
    std::memset(to_value + cols * a_.width, 0, static_cast<size_t>((all - cols) * a_.width) * sizeof(T));
  }

  const Backward<T>& b_;
  const Attention& a_;
  Parts<T> parts_;
  int64_t stride_;
  T *scores_, *slopes_, *dropped_, *uniform_, *keys_, *values_, *transposed_;
};

template <class T>
Status backward(const Attention& a, const Call& call, const View& gradient, const View& out, const View& residual) {
  const T* weights = a.kept > 0 ? residual.as<T>() : nullptr;
  const Gradients<T> to{call.out(0).as<T>(), call.out(1).as<T>(), call.out(2).as<T>()};
  const int64_t rows = a.items * a.groups * a.queries, heads = a.items * a.groups;
  const int64_t blocks = count(a.keys, kBlockKeys);
  const int64_t wanted = smaller(smaller(count(kTasks, a.items), kMostParts), blocks);
  const int64_t part_keys = count(blocks, wanted) * kBlockKeys, parts = count(a.keys, part_keys);
  Scratch memory(call.workspace);
  Parts<T> sizes;
  sizes.take(rows * a.size);
  sizes.take(rows * a.width);
  sizes.take(rows);
  if (parts > 1) sizes.take(parts * rows * a.size);
  T* data = memory.get<T>(sizes.taken());
  if (!data) return out_of_memory();
  Parts<T> room(data);
  Backward<T> b{a,
                attention_gemm<T>(),
                kernels().attention.of[sizeof(T) == 8],
                gradient,
                out.as<T>(),
                weights,
                residual.as<T>(),
                {},
                {},
                parts,
                part_keys};
  b.rows.query = room.take(rows * a.size);
  b.rows.gradient = room.take(rows * a.width);
  b.rows.delta = room.take(rows);
  b.to = {parts > 1 ? room.take(parts * rows * a.size) : to.query, to.key, to.value};
  const int64_t strips = count(a.queries, kAttentionQueries);
  parallel_for(heads * strips, [&](int64_t t) {
    const int64_t row = t % strips * kAttentionQueries;
    b.prepare(t / strips, row, smaller(a.queries - row, kAttentionQueries));
  });
  const int64_t elements = BackwardTask<T>(b, nullptr).elements();
  std::atomic<bool> failed{false};
  parallel_for(a.items * parts, [&](int64_t t) {
    Scratch of_task(call.workspace);
    T* block = of_task.get<T>(elements);
    if (!block) {
      failed.store(true, std::memory_order_relaxed);
      return;
    }
    BackwardTask<T>(b, block).run(t / parts, t % parts);
  });
  if (failed.load()) return out_of_memory();
  parallel_for(heads, [&](int64_t head) {
    const int64_t n = a.queries * a.size, at = head * n;
    b.kernels.combine(to.query + at, b.to.query + at, rows * a.size, parts, n, a.scale);
  });
  return {};
}

}  // namespace

Status run_attention_backward(const Call& call) {
  if (call.n_out != 3 || call.n_in < 6 || call.n_in > 7) return fail(Code::NATIVE, kOperands);
  const View &gradient = call.in(0), &out = call.in(1), &residual = call.in(5);
  Attention a;
  NABLA_TRY(a.open(call, out, 2, 6));
  if (!out.contiguous() || gradient.scalar || gradient.dtype != out.dtype || !same_shape(gradient, out))
    return fail(Code::SHAPE, kOperands);
  for (int i = 0; i < 3; i++) {
    const View& to = call.out(i);
    if (to.dtype != out.dtype || !to.contiguous() || !same_shape(to, call.in(2 + i)))
      return fail(Code::SHAPE, kOperands);
  }
  NABLA_TRY(a.take(residual, out));
  if (a.items * a.groups * a.queries == 0 || a.keys == 0) {
    for (int i = 0; i < 3; i++)
      std::memset(call.out(i).data, 0, static_cast<size_t>(call.out(i).numel()) * size_of(out.dtype));
    return {};
  }
  if (out.dtype == DType::F32) return backward<float>(a, call, gradient, out, residual);
  return backward<double>(a, call, gradient, out, residual);
}

}  // namespace nabla
