// Matrix multiplication: chooses a plan from shape and strides, packs, and shares the work out.
#pragma once
#include <cstdint>

#include "base/dtype.h"
#include "base/status.h"

namespace nabla {

// Strides in elements, of either sign; zero repeats.
struct Matrix {
  const void* data;
  int64_t row_stride, col_stride;
  bool bf16 = false;  // instead of float32: the product is that of a float32 copy, bit for bit, but none is made

  Matrix shifted(int64_t elements, DType dtype) const {
    const int64_t size = static_cast<int64_t>(bf16 ? sizeof(BFloat16) : size_of(dtype));
    return {static_cast<const char*>(data) + elements * size, row_stride, col_stride, bf16};
  }
};

// What is done to a product where it is written.
struct GemmEpilogue {
  const void* bias = nullptr;  // n values, contiguous, added to each row last
  // [m, n], unit column stride, added to the first partial sum: C itself, or apart from it.
  const void* addend = nullptr;
  int64_t addend_row = 0;
  bool relu = false;  // the larger of 0 and the sum, of floats
};

// C[m, n] = A[m, k] * B[k, n] (+ addend) (+ bias), and what else the epilogue says. C has unit column stride, overlaps
// neither operand, and is not read unless it is the addend. The bits of an element depend on its row of A, its column
// of B, addend and bias alone: not on threads, ISA or strides, nor on the other rows and columns; but for the sum being
// a dot product of virtual lanes or a chain, which gemm_takes_dots() decides from shape and strides. MEMORY when no
// scratch can be had, DTYPE for uint8 and bool.
Status gemm(DType dtype, int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, void* c, int64_t ldc,
            const GemmEpilogue& epilogue = {});

// `count` such products with one bias; the offsets are in elements, and only those of C may not repeat.
Status gemm_batched(DType dtype, int64_t count, int64_t m, int64_t n, int64_t k, Matrix a, const int64_t* a_offsets,
                    Matrix b, const int64_t* b_offsets, void* c, const int64_t* c_offsets, int64_t ldc,
                    const GemmEpilogue& epilogue = {}, const int64_t* addend_offsets = nullptr);

}  // namespace nabla
