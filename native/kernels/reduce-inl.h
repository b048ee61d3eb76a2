// Sums, products and extremes, in the order that reduce.h lays down.
#pragma once
#include "kernels/arithmetic-inl.h"
#include "kernels/reduce-arg-inl.h"
#include "kernels/reduce.h"

namespace nabla::NABLA_ISA {
namespace {

template <class F, class T>
constexpr T kNeutral = T(0);
template <class T>
constexpr T kNeutral<Multiply, T> = T(1);
template <class T>
constexpr T kNeutral<Maximum, T> = kLowest<T>;
template <class T>
constexpr T kNeutral<Minimum, T> = kHighest<T>;

template <class T, bool FLOAT>
struct ReduceVecOf {
  using Type = Lane<T>;
};
template <class T>
struct ReduceVecOf<T, true> {
  using Type = Vec<T>;
};
template <class T>
using ReduceVec = typename ReduceVecOf<T, kIsFloat<T>>::Type;

template <class F, class T>
void combine(T* a, const T* b, int64_t n) {
  NABLA_INDEPENDENT
  for (int64_t i = 0; i < n; i++) a[i] = F{}(Lane<T>(a[i]), Lane<T>(b[i])).v;
}

// Takes partials one after the other and combines every two subtrees of a size: the tree of reduce.h, without
// recursion.
template <class F, class T, int WIDTH>
struct Cascade {
  static constexpr int kLevels = 40;
  T partials[kLevels][WIDTH];
  int64_t count = 0;
  int depth = 0;

  T* next() { return partials[depth]; }  // where the next partial is to be written
  void push() {
    depth++;
    for (int64_t c = ++count; c % 2 == 0; c /= 2) merge();
  }
  T* finish() {
    while (depth > 1) merge();
    return partials[0];
  }
  void merge() {
    depth--;
    combine<F, T>(partials[depth - 1], partials[depth], WIDTH);
  }
};

// The lanes of one block of a row, n <= kReduceBlock.
template <class F, class T>
void reduce_block(T* lanes, const T* x, int64_t n) {
  using V = ReduceVec<T>;
  constexpr int kVectors = kReduceLanes / V::kLanes;
  V sum[kVectors];
#pragma GCC unroll 32
  for (int j = 0; j < kVectors; j++) sum[j] = V(kNeutral<F, T>);
  int64_t i = 0;
  for (; i + kReduceLanes <= n; i += kReduceLanes) {
#pragma GCC unroll 32
    for (int j = 0; j < kVectors; j++) sum[j] = F{}(sum[j], V::load(x + i + j * V::kLanes));
  }
#pragma GCC unroll 32
  for (int j = 0; j < kVectors; j++) V::store(lanes + j * V::kLanes, sum[j]);
  if (i < n) combine<F, T>(lanes, x + i, n - i);
}

template <class F, class T>
void reduce_row(void* partial, const void* data, int64_t n) {
  T* const lanes = static_cast<T*>(partial);
  const T* const x = static_cast<const T*>(data);
  if (n <= kReduceBlock) return reduce_block<F, T>(lanes, x, n);
  Cascade<F, T, kReduceLanes> cascade;
  for (int64_t i = 0; i < n; i += kReduceBlock) {
    reduce_block<F, T>(cascade.next(), x + i, n - i < kReduceBlock ? n - i : kReduceBlock);
    cascade.push();
  }
  const T* const total = cascade.finish();
  for (int i = 0; i < kReduceLanes; i++) lanes[i] = total[i];
}

// The upper half of `width` values onto the lower one, until one is left.
template <class F, class T>
NABLA_INLINE T halve(T* lanes, int width) {
  while (width > 1) {
    width /= 2;
    for (int i = 0; i < width; i++) lanes[i] = F{}(Lane<T>(lanes[i]), Lane<T>(lanes[i + width])).v;
  }
  return lanes[0];
}

template <class F, class T>
T reduce_lanes(const T* partial) {
  T lanes[kReduceLanes];
  for (int i = 0; i < kReduceLanes; i++) lanes[i] = partial[i];
  return halve<F>(lanes, kReduceLanes);
}

// The same answer as with all lanes: those without an element change nothing.
template <class F, class T>
T reduce_short_row(const T* x, int n) {
  T lanes[kReduceLanes];
  int width = 1;
  while (width < n) width *= 2;
  for (int i = 0; i < n; i++) lanes[i] = F{}(Lane<T>(kNeutral<F, T>), Lane<T>(x[i])).v;
  for (int i = n; i < width; i++) lanes[i] = kNeutral<F, T>;
  return halve<F>(lanes, width);
}

template <class F, class T>
void reduce_finish(void* out, const void* partial) {
  *static_cast<T*>(out) = reduce_lanes<F, T>(static_cast<const T*>(partial));
}

template <class F, class T>
void reduce_rows(void* out, const void* data, int64_t rows, int64_t row_stride, int64_t n) {
  T* const y = static_cast<T*>(out);
  const T* const x = static_cast<const T*>(data);
  if (n <= kReduceLanes) {
    for (int64_t r = 0; r < rows; r++) y[r] = reduce_short_row<F, T>(x + r * row_stride, static_cast<int>(n));
    return;
  }
  T lanes[kReduceLanes];
  for (int64_t r = 0; r < rows; r++) {
    reduce_row<F, T>(lanes, x + r * row_stride, n);
    y[r] = reduce_lanes<F, T>(lanes);
  }
}

// out continues over ROWS rows; the last vector of columns is `lanes` wide. Along the rows, as memory is read ahead.
template <class F, class T, int ROWS>
NABLA_INLINE void reduce_columns_rows(T* out, const T* x, int64_t row_stride, int64_t columns, bool first) {
  using V = ReduceVec<T>;
  const auto step = [&](int64_t c, auto load, auto store) __attribute__((always_inline)) {
    V sum = first ? V(kNeutral<F, T>) : load(out + c);
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) sum = F{}(sum, load(x + r * row_stride + c));
    store(out + c, sum);
  };
  int64_t c = 0;
  for (; c + V::kLanes <= columns; c += V::kLanes) {
    step(c, [](const T* p) { return V::load(p); }, [](T* p, V v) { V::store(p, v); });
  }
  const int lanes = static_cast<int>(columns - c);
  if (lanes > 0) {
    step(c, [=](const T* p) { return V::load_n(p, lanes); }, [=](T* p, V v) { V::store_n(p, v, lanes); });
  }
}

template <class F, class T>
void reduce_columns_block(T* out, const T* x, int64_t rows, int64_t row_stride, int64_t columns) {
  constexpr int kRows = 8;
  int64_t r = 0;
  for (; r + kRows <= rows; r += kRows)
    reduce_columns_rows<F, T, kRows>(out, x + r * row_stride, row_stride, columns, r == 0);
  for (; r < rows; r++) reduce_columns_rows<F, T, 1>(out, x + r * row_stride, row_stride, columns, r == 0);
  if (rows == 0) reduce_columns_rows<F, T, 0>(out, x, row_stride, columns, true);
}

template <class F, class T>
void reduce_columns(void* out, const void* data, int64_t rows, int64_t row_stride, int64_t columns) {
  T* const y = static_cast<T*>(out);
  const T* const x = static_cast<const T*>(data);
  if (rows <= kReduceRows) return reduce_columns_block<F, T>(y, x, rows, row_stride, columns);
  constexpr int kTile = 64;
  for (int64_t c = 0; c < columns; c += kTile) {
    const int64_t width = columns - c < kTile ? columns - c : kTile;
    Cascade<F, T, kTile> cascade;
    for (int64_t r = 0; r < rows; r += kReduceRows) {
      T* const partial = cascade.next();
      reduce_columns_block<F, T>(partial, x + r * row_stride + c, rows - r < kReduceRows ? rows - r : kReduceRows,
                                 row_stride, width);
      for (int64_t i = width; i < kTile; i++) partial[i] = kNeutral<F, T>;
      cascade.push();
    }
    const T* const total = cascade.finish();
    for (int64_t i = 0; i < width; i++) y[c + i] = total[i];
  }
}

template <class F, class T>
void reduce_tree(void* partials, int64_t count, int64_t width) {
  T* const p = static_cast<T*>(partials);
  for (int64_t step = 1; step < count; step *= 2) {
    for (int64_t i = 0; i + step < count; i += 2 * step) combine<F, T>(p + i * width, p + (i + step) * width, width);
  }
}

template <class F, class T>
constexpr ReduceLeaf make_reduce_leaf() {
  return {reduce_rows<F, T>, reduce_row<F, T>, reduce_finish<F, T>, reduce_columns<F, T>, reduce_tree<F, T>};
}

// Sums and products exist where no narrower type would overflow.
template <class F, Domain DOMAIN, class T>
constexpr ReduceLeaf reduce_leaf_of() {
  constexpr bool kWide = kIsFloat<T> || sizeof(T) == 8, kExtreme = __is_same(F, Maximum) || __is_same(F, Minimum);
  if constexpr (!in_domain(DOMAIN, DTypeOf<T>::value) || !(kWide || kExtreme)) {
    return {};
  } else {
    return make_reduce_leaf<F, T>();
  }
}

constexpr ReduceTable make_reduce_table() {
  ReduceTable table{};
#define LEAF(id, dtype_name, type) leaf[static_cast<int>(DType::id)] = reduce_leaf_of<F, kDomain, type>();
#define REDUCE(name, Functor, domain)                              \
  {                                                                \
    using F = Functor;                                             \
    constexpr Domain kDomain = Domain::domain;                     \
    ReduceLeaf* leaf = table.leaf[static_cast<int>(Reduce::name)]; \
    NABLA_COMPUTED_DTYPES(LEAF)                                    \
  }
#define ARG_LEAF(id, dtype_name, type) arg[static_cast<int>(DType::id)] = arg_reduce_leaf_of<F, type>();
#define ARG_REDUCE(name, Functor)                                      \
  {                                                                    \
    using F = Functor;                                                 \
    ArgReduceLeaf* arg = table.arg[static_cast<int>(ArgReduce::name)]; \
    NABLA_COMPUTED_DTYPES(ARG_LEAF)                                    \
  }
#include "kernels/list.def"
#undef LEAF
#undef ARG_LEAF
  return table;
}

}  // namespace
}  // namespace nabla::NABLA_ISA
