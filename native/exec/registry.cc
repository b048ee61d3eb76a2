#include "exec/registry.h"

#include "exec/attention/attention.h"
#include "exec/conv/conv.h"
#include "exec/conv/pool2d.h"
#include "exec/elementwise/checked.h"
#include "exec/elementwise/elementwise.h"
#include "exec/index/index.h"
#include "exec/index/nonzero.h"
#include "exec/linalg/linalg.h"
#include "exec/loss/cross_entropy.h"
#include "exec/loss/mse.h"
#include "exec/matmul/matmul.h"
#include "exec/norm/batch_norm.h"
#include "exec/norm/norm.h"
#include "exec/norm/softmax.h"
#include "exec/optim/optim.h"
#include "exec/random/random.h"
#include "exec/reduce/log_sum_exp.h"
#include "exec/reduce/product.h"
#include "exec/reduce/reduce.h"
#include "exec/reduce/scan.h"
#include "exec/reduce/variance.h"
#include "exec/sort/sort.h"
#include "kernels/list.h"
#include "kernels/table.h"

namespace nabla {
namespace {

struct Opcode {
  const char* name;
  Status (*driver)(const Call& call, int kernel);
  int kernel;  // within its family
  bool halves;
};

template <Status (*DRIVER)(const Call&)>
Status without_kernel(const Call& call, int) {
  return DRIVER(call);
}

constexpr Opcode kOpcodes[] = {
#define ELEMENTWISE(name, ...) {#name, run_elementwise, static_cast<int>(Elementwise::name), true},
#define REDUCE(name, ...) {#name, run_reduce, static_cast<int>(Reduce::name), true},
#define ARG_REDUCE(name, ...) {#name, run_arg_reduce, static_cast<int>(ArgReduce::name), false},
#define OPTIMIZER(name, ...) {#name, run_optimizer, static_cast<int>(Optimizer::name), false},
#define KERNEL(name, driver) {#name, without_kernel<driver>, 0, false},
#define HALVES(name, driver) {#name, without_kernel<driver>, 0, true},
#include "kernels/list.def"
};

}  // namespace

Status run(const Call& call) {
  const Opcode& op = kOpcodes[call.opcode];
  if (!op.halves)
    for (int32_t i = 0; i < call.n_out + call.n_in; i++)
      if (is_half(call.operands[i].dtype)) return fail(Code::DTYPE, "the kernel has no halves", i);
  return op.driver(call, op.kernel);
}

int32_t opcode_count() { return sizeof kOpcodes / sizeof *kOpcodes; }
const char* opcode_name(int32_t opcode) { return kOpcodes[opcode].name; }

const char* stale_object() {
  const ListStamp* const drivers[] = {&elementwise_stamp, &optim_stamp, &reduce_stamp};
  for (const ListStamp* stamp : drivers)
    if (stamp->hash != kListHash) return stamp->source;
  const KernelTable* tables[8];
  const int n = available_isas(tables, 8);
  for (int i = 0; i < n; i++)
    if (tables[i]->stamp.hash != kListHash) return tables[i]->stamp.source;
  return nullptr;
}

}  // namespace nabla
