// The leaves of the avx2 tier. Compiled with -mavx2 -mfma: nothing here may have external linkage but the table.
#define NABLA_ISA avx2
#include "kernels/simd/avx2.h"
// The leaves, over that vocabulary.
#include "kernels/convert-inl.h"
#include "kernels/elementwise-inl.h"
#include "kernels/gemm-inl.h"
#if __has_include("kernels/optim-inl.h")
#include "kernels/optim-inl.h"
#endif
#include "kernels/random-inl.h"
#include "kernels/reduce-inl.h"
#if __has_include("kernels/softmax-inl.h")
#include "kernels/softmax-inl.h"
#endif
#include "kernels/table.h"

namespace nabla::avx2 {

extern const KernelTable table;
constexpr KernelTable table = {
    .isa = "avx2",
    .convert = make_convert_table(),
    .elementwise = make_elementwise_table(),
    .reduce = make_reduce_table(),
    .gemm = make_gemm_table(),
    .random = make_random_table(),
#if __has_include("kernels/softmax-inl.h")
    .softmax = make_softmax_table(),
#else
    .softmax = {},
#endif
#if __has_include("kernels/optim-inl.h")
    .optim = make_optim_table(),
#else
    .optim = {},
#endif
};

}  // namespace nabla::avx2
