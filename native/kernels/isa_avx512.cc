// The leaves of the avx512 tier. Compiled with AVX-512 F, DQ, BW and VL: nothing here may have external linkage but the
// table.
#define NABLA_ISA avx512
#include "kernels/simd/avx512.h"

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

namespace nabla::avx512 {

extern const KernelTable table;
constexpr KernelTable table = {
    .isa = "avx512",
    .convert = make_convert_table(),
    .elementwise = make_elementwise_table(),
    .reduce = make_reduce_table(),
    .gemm = make_gemm_table(),
    .random = make_random_table(),
    .softmax = make_softmax_table(),
    .norm = make_norm_table(),
    .optim = make_optim_table(),
};

}  // namespace nabla::avx512
