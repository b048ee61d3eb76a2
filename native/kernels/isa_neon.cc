// The leaves of the neon tier. Compiled for the baseline of 64-bit ARM, which has NEON and FMA.
#define NABLA_ISA neon
#include "kernels/simd/neon.h"

// Over that vocabulary:
#include "kernels/convert-inl.h"
#include "kernels/elementwise-inl.h"
#include "kernels/gemm-inl.h"
#include "kernels/norm-inl.h"
#include "kernels/optim-inl.h"
#include "kernels/random-inl.h"
#include "kernels/reduce-inl.h"
#include "kernels/softmax-inl.h"
#include "kernels/table.h"

namespace nabla::neon {

extern const KernelTable table;
constexpr KernelTable table = {
    .isa = "neon",
    .convert = make_convert_table(),
    .elementwise = make_elementwise_table(),
    .reduce = make_reduce_table(),
    .gemm = make_gemm_table(),
    .random = make_random_table(),
    .softmax = make_softmax_table(),
    .norm = make_norm_table(),
    .optim = make_optim_table(),
};

}  // namespace nabla::neon
