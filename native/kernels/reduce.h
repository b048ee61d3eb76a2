// Reduction leaves. The order of every sum follows from the shape and the dtype alone:
//
// Row form, where the reduced elements of one result are the innermost axis, [outer, n]. Blocks of kReduceBlock
// elements: in a block, lane l of kReduceLanes takes the elements l, l + kReduceLanes, ... in order. Blocks are
// combined, lane by lane, by the tree below; the lanes of the result by halving: l with l + 16, then + 8, + 4, + 2,
// + 1.
//
// Column form, where an inner axis remains, [outer, n, inner] with inner > 1. Blocks of kReduceRows rows, added up in
// order; blocks are combined by the tree.
//
// The tree over n leaves splits at the largest power of two below n. Hence the parts that begin at a multiple of the
// same 2^k blocks (the last one may be shorter) are whole subtrees: the driver may compute one partial per part, on any
// thread, and combine them by tree().
//
// The form follows from the logical shape, never from strides: the driver gathers what is not laid out so.
// Partials are kept, and added up, in the dtype itself, but sums of float32, and of its squares, in double, rounded
// once at the end; the driver converts inputs to a dtype that the leaf has.
#pragma once
#include <cstdint>

#include "base/dtype.h"

namespace nabla {

constexpr int64_t kReduceLanes = 32;
constexpr int64_t kReduceBlock = 4096;
constexpr int64_t kReduceRows = 64;

// A partial of a row is kReduceLanes elements of partial_size bytes, a partial of columns one such element per column.
// n and rows may be 0.
struct ReduceLeaf {
  int64_t partial_size;
  bool partial_is_result;  // the last partial of columns is what store() would make of it
  // out[r] for r < rows, from x[r * row_stride + i], i < n: the whole row form on one thread.
  void (*rows)(void* out, const void* x, int64_t rows, int64_t row_stride, int64_t n);
  // The partial of n contiguous elements, n any size.
  void (*row)(void* partial, const void* x, int64_t n);
  // partials[r] for r < rows, one element each, of which store makes the results of `rows`.
  void (*sums)(void* partials, const void* x, int64_t rows, int64_t row_stride, int64_t n);
  // The same from the lanes of a partial.
  void (*fold)(void* partial, const void* lanes);
  // out[i] from partial i, i < n, divided by the divisor before it is rounded; only in floating point by another
  // than 1.
  void (*store)(void* out, const void* partials, int64_t n, double divisor);
  // The partial of each column c < columns, from x[r * row_stride + c], r < rows: of the whole column, or of a part.
  void (*columns)(void* partials, const void* x, int64_t rows, int64_t row_stride, int64_t columns);
  // Combines `count` partials of `width` elements, stored one after the other, into the first. Overwrites them all.
  void (*tree)(void* partials, int64_t count, int64_t width);
};

// argmax and argmin: the lowest index among equals; a NaN is beyond everything. A partial is a value and an index for
// each result; as any split gives the same answer, there is no order to keep. rows >= 1.
struct ArgReduceLeaf {
  // values[c] and indices[c] for c < columns, over r < rows; index r counts from `first`. One column: row_stride = 1.
  void (*columns)(void* values, int64_t* indices, const void* x, int64_t rows, int64_t row_stride, int64_t columns,
                  int64_t first);
  // out[r] for r < rows, over the n contiguous elements at x + r * row_stride.
  void (*rows)(int32_t* out, const void* x, int64_t rows, int64_t row_stride, int64_t n);
  // values[i] and indices[i] take the better of themselves and the later partial's, for i < n.
  void (*merge)(void* values, int64_t* indices, const void* later_values, const int64_t* later_indices, int64_t n);
};

// Rows in the order of list.def.
struct ReduceTable {
  const ReduceLeaf (*leaf)[kDTypeCount];  // null where the leaf has no such dtype: see kReduce and reduce-inl.h
  const ArgReduceLeaf (*arg)[kDTypeCount];
};

}  // namespace nabla
