// The leaves of the scalar tier. Compiled for the baseline CPU.
#define NABLA_ISA scalar
#include "kernels/simd/scalar.h"

// Kernels over that vector interface:
#include "kernels/table-inl.h"

namespace nabla::scalar {

extern const KernelTable table;
constexpr KernelTable table = make_table();

}  // namespace nabla::scalar
