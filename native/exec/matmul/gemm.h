// Matrix multiplication: chooses a plan from shape and strides, packs, and distributes the work.
#pragma once
#include <cstdint>

#include "base/dtype.h"
#include "base/status.h"
#include "runtime/workspace.h"

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

// Operations fused into the write-back of a product.
struct GemmEpilogue {
  const void* bias = nullptr;  // n values, contiguous, added to each row last
  // [m, n], unit column stride, added to the first partial sum: C itself, or apart from it.
  const void* addend = nullptr;
  int64_t addend_row = 0;
  bool relu = false;  // the larger of 0 and the sum, of floats
};

// C[m, n] = A[m, k] * B[k, n] (+ addend) (+ bias), then the rest of the epilogue. C has unit column stride, overlaps
// neither operand, and is not read unless it is the addend. The bits of an element depend only on its row of A, its
// column of B, addend and bias, not on threads, instruction set, strides or other rows and columns. The one exception:
// gemm_takes_dots() decides from shape and strides whether sums are dot products of virtual lanes or chains. MEMORY
// without scratch, DTYPE for uint8 and bool.
Status gemm(Workspace& workspace, DType dtype, int64_t m, int64_t n, int64_t k, Matrix a, Matrix b, void* c,
            int64_t ldc, const GemmEpilogue& epilogue = {});

// `count` such products with the same bias; offsets are in elements, and those of C must be distinct.
Status gemm_batched(Workspace& workspace, DType dtype, int64_t count, int64_t m, int64_t n, int64_t k, Matrix a,
                    const int64_t* a_offsets, Matrix b, const int64_t* b_offsets, void* c, const int64_t* c_offsets,
                    int64_t ldc, const GemmEpilogue& epilogue = {}, const int64_t* addend_offsets = nullptr);

}  // namespace nabla
