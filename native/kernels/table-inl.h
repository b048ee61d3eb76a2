// The table of a tier: all kernels, over the vector interface included before.
#pragma once
#include "kernels/attention-inl.h"
#include "kernels/batch-norm-inl.h"
#include "kernels/convert-inl.h"
#include "kernels/elementwise-inl.h"
#include "kernels/gemm-inl.h"
#include "kernels/im2col-inl.h"
#include "kernels/list.h"
#include "kernels/norm-inl.h"
#include "kernels/optim-inl.h"
#include "kernels/random-inl.h"
#include "kernels/reduce-inl.h"
#include "kernels/softmax-inl.h"
#include "kernels/sort-inl.h"
#include "kernels/table.h"
#include "kernels/variance-inl.h"

namespace nabla::NABLA_ISA {
namespace {

#define NABLA_TEXT_OF(name) #name
#define NABLA_TEXT(macro) NABLA_TEXT_OF(macro)

constexpr KernelTable make_table() {
  return {
      .isa = NABLA_TEXT(NABLA_ISA),
      .stamp = {"native/kernels/isa_" NABLA_TEXT(NABLA_ISA) ".cc", kListHash},
      .convert = make_convert_table(),
      .elementwise = make_elementwise_table(),
      .reduce = make_reduce_table(),
      .gemm = make_gemm_table(),
      .random = make_random_table(),
      .softmax = make_softmax_table(),
      .norm = make_norm_table(),
      .batch_norm = make_batch_norm_table(),
      .optim = make_optim_table(),
      .im2col = make_im2col_table(),
      .attention = make_attention_table(),
      .sort = make_sort_table(),
      .variance = make_variance_table(),
  };
}

#undef NABLA_TEXT
#undef NABLA_TEXT_OF

}  // namespace
}  // namespace nabla::NABLA_ISA
