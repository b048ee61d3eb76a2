// The kernels of one ISA: function pointers to serial code, indexed by kernel and dtype. exec/ calls kernels only
// through it.
#pragma once
#include "kernels/attention.h"
#include "kernels/batch-norm.h"
#include "kernels/convert.h"
#include "kernels/elementwise.h"
#include "kernels/gemm.h"
#include "kernels/im2col.h"
#include "kernels/norm.h"
#include "kernels/optim.h"
#include "kernels/random.h"
#include "kernels/reduce.h"
#include "kernels/softmax.h"
#include "kernels/sort.h"
#include "kernels/stamp.h"
#include "kernels/variance.h"

namespace nabla {

struct KernelTable {
  const char* isa;
  ListStamp stamp;
  ConvertTable convert;
  ElementwiseTable elementwise;
  ReduceTable reduce;
  GemmTable gemm;
  RandomTable random;
  SoftmaxTable softmax;
  NormTable norm;
  BatchNormTable batch_norm;
  OptimTable optim;
  Im2colTable im2col;
  AttentionTable attention;
  SortTable sort;
  VarianceTable variance;
};

// Chosen once, at the first call: the best tier that CPU and operating system support, or NABLA_ISA.
const KernelTable& kernels();
// Every tier compiled in that this machine can run, best first; ends at the scalar one.
int available_isas(const KernelTable** out, int capacity);
// For tests: nullptr if the name is unknown or the CPU cannot run it.
const KernelTable* force_isa(const char* name);

}  // namespace nabla
