// Sums, products and extremes, in the order defined by reduce.h.
#pragma once
#include "kernels/arithmetic-inl.h"
#include "kernels/list.h"
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

// Elements are squared when added to a partial; partials are summed, and the result is the last, or its root.
NABLA_BINARY(Squares, x + y * y)
NABLA_BINARY(RootOfSquares, x + y * y)

// How partials are combined, and how the last one is finished.
template <class F>
struct Joined {
  using Type = F;
  template <class P>
  static P finish(P total) {
    return total;
  }
};
template <>
struct Joined<Squares> : Joined<Add> {
  using Type = Add;
};
template <>
struct Joined<RootOfSquares> {
  using Type = Add;
  template <class P>
  static P finish(P total) {
    return sqrt(Lane<P>(total)).v;
  }
};
template <class F>
using Join = typename Joined<F>::Type;

// The type of partial results: float32 sums in double.
template <class F, class T>
struct PartialOf {
  using Type = T;
};
template <>
struct PartialOf<Add, float> {
  using Type = double;
};
template <>
struct PartialOf<Squares, float> {
  using Type = double;
};
template <>
struct PartialOf<RootOfSquares, float> {
  using Type = double;
};
template <class F, class T>
using Partial = typename PartialOf<F, T>::Type;

template <class P, class T>
NABLA_INLINE ReduceVec<P> load_as(const T* p) {
  if constexpr (__is_same(P, T)) {
    return ReduceVec<P>::load(p);
  } else {
    return load_double(p);
  }
}
template <class P, class T>
NABLA_INLINE ReduceVec<P> load_as_n(const T* p, int n) {
  if constexpr (__is_same(P, T)) {
    return ReduceVec<P>::load_n(p, n);
  } else {
    T first[ReduceVec<P>::kLanes] = {};
    for (int i = 0; i < n; i++) first[i] = p[i];
    return load_double(first);
  }
}

// F over a and b, lane by lane, in the type of a.
template <class F, class P, class T>
void combine(P* a, const T* b, int64_t n) {
  NABLA_INDEPENDENT
  for (int64_t i = 0; i < n; i++) a[i] = F{}(Lane<P>(a[i]), Lane<P>(static_cast<P>(b[i]))).v;
}

// Takes partials one by one and combines subtrees of equal size: the tree of reduce.h, without
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
    combine<Join<F>>(partials[depth - 1], partials[depth], WIDTH);
  }
};

// The lanes of one block of a row, n <= kReduceBlock.
template <class F, class T, class P = Partial<F, T>>
void reduce_block(P* lanes, const T* x, int64_t n) {
  using V = ReduceVec<P>;
  constexpr int kVectors = kReduceLanes / V::kLanes;
  V sum[kVectors];
#pragma GCC unroll 32
  for (int j = 0; j < kVectors; j++) sum[j] = V(kNeutral<F, P>);
  int64_t i = 0;
  for (; i + kReduceLanes <= n; i += kReduceLanes) {
    if constexpr (kReadPrefetch > 0) {
      constexpr int64_t kLine = 64 / sizeof(T), kDistance = kReadPrefetch / static_cast<int64_t>(sizeof(T));
#pragma GCC unroll 8
      for (int64_t j = 0; j < kReduceLanes; j += kLine) __builtin_prefetch(x + i + j + kDistance);
    }
#pragma GCC unroll 32
    for (int j = 0; j < kVectors; j++) sum[j] = F{}(sum[j], load_as<P>(x + i + j * V::kLanes));
  }
#pragma GCC unroll 32
  for (int j = 0; j < kVectors; j++) V::store(lanes + j * V::kLanes, sum[j]);
  if (i < n) combine<F>(lanes, x + i, n - i);
}

template <class F, class T, class P = Partial<F, T>>
void reduce_row(void* partial, const void* data, int64_t n) {
  P* const lanes = static_cast<P*>(partial);
  const T* const x = static_cast<const T*>(data);
  if (n <= kReduceBlock) return reduce_block<F, T>(lanes, x, n);
  Cascade<F, P, kReduceLanes> cascade;
  for (int64_t i = 0; i < n; i += kReduceBlock) {
    reduce_block<F, T>(cascade.next(), x + i, n - i < kReduceBlock ? n - i : kReduceBlock);
    cascade.push();
  }
  const P* const total = cascade.finish();
  for (int i = 0; i < kReduceLanes; i++) lanes[i] = total[i];
}

// Folds the upper half of `width` values onto the lower, until one is left.
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
  return halve<Join<F>>(lanes, kReduceLanes);
}

// The same result as with all lanes: lanes without an element are neutral.
template <class F, class T, class P = Partial<F, T>>
P reduce_short_row(const T* x, int n) {
  P lanes[kReduceLanes];
  int width = 1;
  while (width < n) width *= 2;
  for (int i = 0; i < n; i++) lanes[i] = F{}(Lane<P>(kNeutral<F, P>), Lane<P>(static_cast<P>(x[i]))).v;
  for (int i = n; i < width; i++) lanes[i] = kNeutral<F, P>;
  return halve<Join<F>>(lanes, width);
}

template <class F, class T, class P = Partial<F, T>>
void reduce_fold(void* partial, const void* lanes) {
  *static_cast<P*>(partial) = reduce_lanes<F, P>(static_cast<const P*>(lanes));
}

template <class F, class T, class P = Partial<F, T>>
void reduce_store(void* out, const void* partials, int64_t n, double divisor) {
  T* const y = static_cast<T*>(out);
  const P* const p = static_cast<const P*>(partials);
  if constexpr (kIsFloat<T>) {
    if (divisor != 1) {
      for (int64_t i = 0; i < n; i++) y[i] = static_cast<T>(Joined<F>::finish(static_cast<P>(p[i] / divisor)));
      return;
    }
  }
  for (int64_t i = 0; i < n; i++) y[i] = static_cast<T>(Joined<F>::finish(p[i]));
}

// put(row, its partial) over all rows.
template <class F, class T, class Put, class P = Partial<F, T>>
NABLA_INLINE void reduce_each_row(const void* data, int64_t rows, int64_t row_stride, int64_t n, Put put) {
  const T* const x = static_cast<const T*>(data);
  if (n <= kReduceLanes) {
    for (int64_t r = 0; r < rows; r++) put(r, reduce_short_row<F, T>(x + r * row_stride, static_cast<int>(n)));
    return;
  }
  P lanes[kReduceLanes];
  for (int64_t r = 0; r < rows; r++) {
    reduce_row<F, T>(lanes, x + r * row_stride, n);
    put(r, reduce_lanes<F, P>(lanes));
  }
}

template <class F, class T, class P = Partial<F, T>>
void reduce_rows(void* out, const void* data, int64_t rows, int64_t row_stride, int64_t n) {
  T* const y = static_cast<T*>(out);
  reduce_each_row<F, T>(data, rows, row_stride, n,
                        [=](int64_t r, P total) { y[r] = static_cast<T>(Joined<F>::finish(total)); });
}

template <class F, class T, class P = Partial<F, T>>
void reduce_sums(void* partials, const void* data, int64_t rows, int64_t row_stride, int64_t n) {
  P* const y = static_cast<P*>(partials);
  reduce_each_row<F, T>(data, rows, row_stride, n, [=](int64_t r, P total) { y[r] = total; });
}

// out continues over ROWS rows; the last vector of columns is `lanes` wide. Along the rows, as the hardware prefetches.
template <class F, class T, int ROWS, class P = Partial<F, T>>
NABLA_INLINE void reduce_columns_rows(P* out, const T* x, int64_t row_stride, int64_t columns, bool first) {
  using V = ReduceVec<P>;
  int64_t c = 0;
  for (; c + V::kLanes <= columns; c += V::kLanes) {
    V sum = first ? V(kNeutral<F, P>) : V::load(out + c);
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) sum = F{}(sum, load_as<P>(x + r * row_stride + c));
    V::store(out + c, sum);
  }
  const int lanes = static_cast<int>(columns - c);
  if (lanes == 0) return;
  V sum = first ? V(kNeutral<F, P>) : V::load_n(out + c, lanes);
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++) sum = F{}(sum, load_as_n<P>(x + r * row_stride + c, lanes));
  V::store_n(out + c, sum, lanes);
}

template <class F, class T, class P = Partial<F, T>>
void reduce_columns_block(P* out, const T* x, int64_t rows, int64_t row_stride, int64_t columns) {
  constexpr int kRows = 8;
  int64_t r = 0;
  for (; r + kRows <= rows; r += kRows)
    reduce_columns_rows<F, T, kRows>(out, x + r * row_stride, row_stride, columns, r == 0);
  for (; r < rows; r++) reduce_columns_rows<F, T, 1>(out, x + r * row_stride, row_stride, columns, r == 0);
  if (rows == 0) reduce_columns_rows<F, T, 0>(out, x, row_stride, columns, true);
}

template <class F, class T, class P = Partial<F, T>>
void reduce_columns(void* out, const void* data, int64_t rows, int64_t row_stride, int64_t columns) {
  P* const y = static_cast<P*>(out);
  const T* const x = static_cast<const T*>(data);
  if (rows <= kReduceRows) return reduce_columns_block<F, T>(y, x, rows, row_stride, columns);
  constexpr int kTile = 64;
  for (int64_t c = 0; c < columns; c += kTile) {
    const int64_t width = columns - c < kTile ? columns - c : kTile;
    Cascade<F, P, kTile> cascade;
    for (int64_t r = 0; r < rows; r += kReduceRows) {
      P* const partial = cascade.next();
      reduce_columns_block<F, T>(partial, x + r * row_stride + c, rows - r < kReduceRows ? rows - r : kReduceRows,
                                 row_stride, width);
      for (int64_t i = width; i < kTile; i++) partial[i] = kNeutral<F, P>;
      cascade.push();
    }
    const P* const total = cascade.finish();
    for (int64_t i = 0; i < width; i++) y[c + i] = total[i];
  }
}

template <class F, class T, class P = Partial<F, T>>
void reduce_tree(void* partials, int64_t count, int64_t width) {
  P* const p = static_cast<P*>(partials);
  for (int64_t step = 1; step < count; step *= 2) {
    for (int64_t i = 0; i + step < count; i += 2 * step) combine<Join<F>>(p + i * width, p + (i + step) * width, width);
  }
}

template <class F, class T>
constexpr ReduceLeaf make_reduce_leaf() {
  constexpr bool kStored = sizeof(Partial<F, T>) == sizeof(T) && __is_same(F, Join<F>);
  return {sizeof(Partial<F, T>), kStored,           reduce_rows<F, T>,  reduce_row<F, T>,
          reduce_sums<F, T>,     reduce_fold<F, T>, reduce_store<F, T>, reduce_columns<F, T>,
          reduce_tree<F, T>};
}

// Sums and products exist for dtypes where they do not overflow a narrower type.
template <class F, Domain DOMAIN, class T>
constexpr ReduceLeaf reduce_leaf_of() {
  constexpr bool kWide = kIsFloat<T> || sizeof(T) == 8, kExtreme = __is_same(F, Maximum) || __is_same(F, Minimum);
  if constexpr (!in_domain(DOMAIN, DTypeOf<T>::value) || !(kWide || kExtreme)) {
    return {};
  } else {
    return make_reduce_leaf<F, T>();
  }
}

struct ReduceLeaves {
  ReduceLeaf leaf[kReduceCount][kDTypeCount];
  ArgReduceLeaf arg[kArgReduceCount][kDTypeCount];
};
constexpr ReduceLeaves make_reduce_leaves() {
  ReduceLeaves leaves{};
#define LEAF(id, dtype_name, type) leaf[static_cast<int>(DType::id)] = reduce_leaf_of<F, kDomain, type>();
#define REDUCE(name, Functor, domain)                               \
  {                                                                 \
    using F = Functor;                                              \
    constexpr Domain kDomain = Domain::domain;                      \
    ReduceLeaf* leaf = leaves.leaf[static_cast<int>(Reduce::name)]; \
    NABLA_COMPUTED_DTYPES(LEAF)                                     \
  }
#define ARG_LEAF(id, dtype_name, type) arg[static_cast<int>(DType::id)] = arg_reduce_leaf_of<F, type>();
#define ARG_REDUCE(name, Functor)                                       \
  {                                                                     \
    using F = Functor;                                                  \
    ArgReduceLeaf* arg = leaves.arg[static_cast<int>(ArgReduce::name)]; \
    NABLA_COMPUTED_DTYPES(ARG_LEAF)                                     \
  }
#include "kernels/list.def"
#undef LEAF
#undef ARG_LEAF
  return leaves;
}
constexpr ReduceLeaves kReduceLeaves = make_reduce_leaves();
constexpr ReduceTable make_reduce_table() { return {kReduceLeaves.leaf, kReduceLeaves.arg}; }

}  // namespace
}  // namespace nabla::NABLA_ISA
