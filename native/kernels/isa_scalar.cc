// The leaves of the scalar tier. Compiled for the baseline CPU.
#define NABLA_ISA scalar
#include "kernels/simd/scalar.h"

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

namespace nabla::scalar {

extern const KernelTable table;
constexpr KernelTable table = {
    .isa = "scalar",
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

}  // namespace nabla::scalar
