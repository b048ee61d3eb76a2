// The leaves of the neon tier. Compiled for the baseline of 64-bit ARM, which has NEON and FMA.
#define NABLA_ISA neon
#include "kernels/simd/neon.h"

// Kernels over that vector interface:
#include "kernels/table-inl.h"

namespace nabla::neon {

extern const KernelTable table;
constexpr KernelTable table = make_table();

}  // namespace nabla::neon
