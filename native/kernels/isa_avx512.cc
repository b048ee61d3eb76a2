// The leaves of the avx512 tier. Compiled with AVX-512 F, DQ, BW and VL: nothing here may have external linkage but the
// table.
#define NABLA_ISA avx512
#include "kernels/simd/avx512.h"

// Kernels over that vector interface:
#include "kernels/table-inl.h"

namespace nabla::avx512 {

extern const KernelTable table;
constexpr KernelTable table = make_table();

}  // namespace nabla::avx512
