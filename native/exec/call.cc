#include "exec/call.h"

#include "exec/attention.h"
#include "exec/batch_norm.h"
#include "exec/checked.h"
#include "exec/conv.h"
#include "exec/elementwise.h"
#include "exec/index.h"
#include "exec/linalg.h"
#include "exec/log_sum_exp.h"
#include "exec/losses.h"
#include "exec/matmul.h"
#include "exec/nonzero.h"
#include "exec/norm.h"
#include "exec/optim.h"
#include "exec/pool2d.h"
#include "exec/random.h"
#include "exec/reduce.h"
#include "exec/scan.h"
#include "exec/softmax.h"
#include "exec/sort.h"
#include "kernels/elementwise.h"
#include "kernels/optim.h"
#include "kernels/reduce.h"

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

}  // namespace nabla
