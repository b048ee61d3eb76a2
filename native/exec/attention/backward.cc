#include <atomic>
#include <cstring>

#include "exec/attention/attention.h"
#include "exec/attention/parts.h"
#include "exec/common/halves.h"
#include "runtime/pool.h"

namespace nabla {
namespace {

constexpr const char* kOperands = "the operands do not fit attention";

constexpr int64_t kBlockKeys = 128;
constexpr int64_t kTasks = 16;     // as many as a split of the keys for the sake of threads makes
constexpr int64_t kMostParts = 8;  // each has a gradient of the queries of its own

// What rows from `first` on bring: queries times the scale, gradients times the factors of the rows (1 where weights
// add up to 1), and delta, the sum of gradient times result.
template <class T>
struct Rows {
  int64_t first;
  T *query, *gradient, *delta;

  // Of so many rows; query and gradient are matrices.
  static Rows take(Parts<T>& room, const Attention& a, int64_t rows) {
    return {0, room.take(rows * a.size), room.take(rows * a.width), room.take(rows)};
  }
};

template <class T>
struct Backward {
  const Attention& a;
  const GemmKernels<T>& gemm;
  const AttentionKernels& kernels;
  const Call& call;
  const View& gradient;
  const T *out, *weights, *lse;
  int64_t parts, part_keys;
  Rows<T> rows;       // of all items, or null where each task makes those of its own
  T* parts_of_query;  // gradients by the query, [parts][rows, size], where they are not made in place
  const Sink query{call.out(0).data, call.out(0).dtype}, key{call.out(1).data, call.out(1).dtype},
      value{call.out(2).data, call.out(2).dtype};

  // A gradient that is written in place.
  T* result(int i) const { return call.out(i).template as<T>(); }
  void prepare(const Rows<T>& to, int64_t item, int64_t row, int64_t count) const {
    const int64_t i = item / a.groups, g = item % a.groups, from = item * a.queries + row, at = from - to.first;
    T *queries = to.query + at * a.size, *slopes = to.gradient + at * a.width;
    const auto q = a.read<T>(a.query, true, i, g, row, count, queries);
    kernels.scale(queries, a.size, q.data, q.row, q.col, count, a.size, a.scale, nullptr);
    T factors[kAttentionQueries];
    for (int64_t r = 0; r < count; r++) factors[r] = weights ? weights[(from + r + 1) * a.kept - 1] : T(1);
    const auto by_out = a.read<T>(gradient, true, i, g, row, count, slopes);
    kernels.scale(slopes, a.width, by_out.data, by_out.row, by_out.col, count, a.width, 1, factors);
    kernels.dots(to.delta + at, slopes, a.width, out + from * a.width, a.width, count, a.width);
  }
  // Writes the gradients of n elements of the query, the sums of their parts, which are added up in `from` if need be.
  void finish_query(T* from, int64_t at, int64_t n) const {
    T* to = query.direct() ? result(0) + at : from;
    kernels.combine(to, from, a.rows() * a.size, parts, n, a.scale);
    query.close(reinterpret_cast<const char*>(to), at, n);
  }
};

// The keys of one part of one item, against all its queries.
template <class T>
class BackwardTask {
 public:
  BackwardTask(const Backward<T>& b, T* memory) : b_(b), a_(b.a), parts_(memory) {
    const int64_t rows = smaller(a_.queries, kAttentionQueries), cols = smaller(a_.keys, kBlockKeys);
    stride_ = attention_row(cols);
    const int64_t own = a_.groups * a_.queries;
    own_ = b.rows.query == nullptr;
    rows_ = own_ ? Rows<T>::take(parts_, a_, own) : b.rows;
    by_query_ = own_ && !b.query.direct() ? parts_.take(own * a_.size) : nullptr;
    by_key_ = b.key.direct() ? nullptr : parts_.take(cols * a_.size);
    by_value_ = b.value.direct() ? nullptr : parts_.take(cols * a_.width);
    const bool halves = is_half(a_.key.dtype) || is_half(a_.value.dtype);
    tile_ = halves ? parts_.take(cols * larger(a_.size, a_.width)) : nullptr;
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
    const int64_t own = a_.groups * a_.queries, before = i * own;
    if (own_) {
      rows_.first = before;
      for (int64_t g = 0; g < a_.groups; g++)
        for (int64_t row = 0; row < a_.queries; row += kAttentionQueries)
          b_.prepare(rows_, i * a_.groups + g, row, smaller(a_.queries - row, kAttentionQueries));
    }
    T* query = by_query_           ? by_query_
               : b_.parts_of_query ? b_.parts_of_query + (part * a_.rows() + before) * a_.size
                                   : b_.result(0) + before * a_.size;
    const int64_t from = part * b_.part_keys, end = smaller(a_.keys, from + b_.part_keys);
    for (int64_t col = from; col < end; col += kBlockKeys)
      add_keys(i, col, smaller(end - col, kBlockKeys), query, col > from);
    if (own_) b_.finish_query(query, before * a_.size, own * a_.size);
  }

 private:
  // `by_query` is of all rows of the item.
  void add_keys(int64_t i, int64_t col, int64_t cols, T* by_query, bool accumulate) {
    const Panels<T> keys{keys_, a_.size, cols}, values{values_, cols, a_.width}, transposed{transposed_, cols, a_.size};
    const auto key = a_.read<T>(a_.key, false, i, 0, col, cols, tile_);
    keys.pack(b_.gemm, key.data, key.row, key.col);
    if (transposed_) transposed.pack(b_.gemm, key.data, key.col, key.row);
    const auto value = a_.read<T>(a_.value, false, i, 0, col, cols, tile_);
    values.pack(b_.gemm, value.data, value.col, value.row);
    const int64_t key_at = (i * a_.keys + col) * a_.size, value_at = (i * a_.keys + col) * a_.width;
    T* to_key = by_key_ ? by_key_ : b_.result(1) + key_at;
    T* to_value = by_value_ ? by_value_ : b_.result(2) + value_at;
    bool first = true;
    for (int64_t g = 0; g < a_.groups; g++) {
      for (int64_t row = 0; row < a_.queries; row += kAttentionQueries) {
        const int64_t rows = smaller(a_.queries - row, kAttentionQueries), seen = a_.seen(col, cols, row + rows);
        T* to_query = by_query + (g * a_.queries + row) * a_.size;
        if (seen <= 0) {
          if (!accumulate) std::memset(to_query, 0, static_cast<size_t>(rows * a_.size) * sizeof(T));
          continue;
        }
        add_block({i, g, row, rows, col, seen}, first ? cols : seen, keys, values, transposed, to_query, accumulate,
                  to_key, to_value, first);
        first = false;
      }
    }
    if (first) {
      std::memset(to_key, 0, static_cast<size_t>(cols * a_.size) * sizeof(T));
      std::memset(to_value, 0, static_cast<size_t>(cols * a_.width) * sizeof(T));
    }
    b_.key.close(reinterpret_cast<const char*>(to_key), key_at, cols * a_.size);
    b_.value.close(reinterpret_cast<const char*>(to_value), value_at, cols * a_.width);
  }

  static constexpr int64_t kLine = 64 / sizeof(T);

  struct Place {
    int64_t i, g, row, rows, col, cols;
  };

  void add_block(const Place& at, int64_t all, const Panels<T>& keys, const Panels<T>& values,
                 const Panels<T>& transposed, T* to_query, bool accumulate, T* to_key, T* to_value, bool first) {
    const auto& [i, g, row, rows, col, cols] = at;
    const int64_t from = (i * a_.groups + g) * a_.queries + row;
    const T* query = rows_.query + (from - rows_.first) * a_.size;
    const T* gradient = rows_.gradient + (from - rows_.first) * a_.width;
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
                        rows_.delta + (from - rows_.first));
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
  bool own_;  // whether this task prepares the rows of its item
  Rows<T> rows_;
  T *by_query_, *by_key_, *by_value_;  // gradients that are to be rounded
  T *tile_, *scores_, *slopes_, *dropped_, *uniform_, *keys_, *values_, *transposed_;
};

template <class T>
Status backward(const Attention& a, const Call& call) {
  const View &out = call.in(1), &residual = call.in(5);
  const int64_t rows = a.rows(), heads = a.items * a.groups, blocks = count(a.keys, kBlockKeys);
  const int64_t wanted = smaller(smaller(count(kTasks, a.items), kMostParts), blocks);
  const int64_t part_keys = count(blocks, wanted) * kBlockKeys, parts = count(a.keys, part_keys);
  Backward<T> b{.a = a,
                .gemm = attention_gemm<T>(),
                .kernels = kernels().attention.of[sizeof(T) == 8],
                .call = call,
                .gradient = call.in(0),
                .out = is_half(out.dtype) ? a.unrounded<T>(residual) : out.as<T>(),
                .weights = a.kept > 0 ? residual.as<T>() : nullptr,
                .lse = residual.as<T>(),
                .parts = parts,
                .part_keys = part_keys,
                .rows = {},
                .parts_of_query = nullptr};
  // With as many items the rows of one are prepared by the task that uses them, while they stay in the cache.
  const bool together = a.items < kTasks, apart = together && (parts > 1 || !b.query.direct());
  Scratch memory(call.workspace);
  if (together) {
    const auto take = [&](Parts<T>& room) {
      b.rows = Rows<T>::take(room, a, rows);
      b.parts_of_query = apart ? room.take(parts * rows * a.size) : nullptr;
    };
    Parts<T> sizes;
    take(sizes);
    T* data = memory.get<T>(sizes.taken());
    if (!data) return out_of_memory();
    Parts<T> room(data);
    take(room);
    const int64_t strips = count(a.queries, kAttentionQueries);
    parallel_for(heads * strips, [&](int64_t t) {
      const int64_t row = t % strips * kAttentionQueries;
      b.prepare(b.rows, t / strips, row, smaller(a.queries - row, kAttentionQueries));
    });
  }
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
  if (!together) return {};
  parallel_for(heads, [&](int64_t head) {
    const int64_t n = a.queries * a.size, at = head * n;
    b.finish_query((apart ? b.parts_of_query : b.result(0)) + at, at, n);
  });
  return {};
}

}  // namespace

Status run_attention_backward(const Call& call) {
  if (call.n_out != 3 || call.n_in < 6 || call.n_in > 7) return fail(Code::NATIVE, kOperands);
  const View &gradient = call.in(0), &out = call.in(1), &residual = call.in(5);
  Attention a;
  NABLA_TRY(a.open(call, out, 2, 6));
  if (!out.contiguous() || gradient.scalar || !reads_as(gradient.dtype, a.type) || !same_shape(gradient, out))
    return fail(Code::SHAPE, kOperands);
  for (int i = 0; i < 3; i++) {
    const View &to = call.out(i), &of = call.in(2 + i);
    if (to.dtype != of.dtype || !to.contiguous() || !same_shape(to, of)) return fail(Code::SHAPE, kOperands);
  }
  NABLA_TRY(a.take(residual, out));
  if (a.rows() == 0 || a.keys == 0) {
    for (int i = 0; i < 3; i++)
      std::memset(call.out(i).data, 0, static_cast<size_t>(call.out(i).numel()) * size_of(call.out(i).dtype));
    return {};
  }
  return a.type == DType::F32 ? backward<float>(a, call) : backward<double>(a, call);
}

}  // namespace nabla
