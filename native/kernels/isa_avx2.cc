// The leaves of the avx2 tier. Compiled with -mavx2 -mfma: nothing here may have external linkage but the table.
#define NABLA_ISA avx2
#include "kernels/simd/avx2.h"

// Over that vocabulary:
#include "kernels/attention-inl.h"
#include "kernels/convert-inl.h"
#include "kernels/elementwise-inl.h"
#include "kernels/gemm-inl.h"
#include "kernels/norm-inl.h"
#include "kernels/optim-inl.h"
#include "kernels/random-inl.h"
#include "kernels/reduce-inl.h"
#include "kernels/softmax-inl.h"
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
    .softmax = make_softmax_table(),
    .norm = make_norm_table(),
    .optim = make_optim_table(),
    .attention = make_attention_table(),
};

}  // namespace nabla::avx2
