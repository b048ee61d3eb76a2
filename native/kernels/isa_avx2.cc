// The leaves of the avx2 tier. Compiled with -mavx2 -mfma: nothing here may have external linkage but the table.
#define NABLA_ISA avx2
#include "kernels/simd/avx2.h"

// Kernels over that vector interface:
#include "kernels/table-inl.h"

namespace nabla::avx2 {

extern const KernelTable table;
constexpr KernelTable table = make_table();

}  // namespace nabla::avx2
