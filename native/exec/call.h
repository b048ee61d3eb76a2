// One operation: an opcode, its operands (outputs first) and attributes.
#pragma once
#include <cstdint>

#include "base/layout.h"
#include "base/status.h"
#include "runtime/workspace.h"

namespace nabla {

struct Call {
  int32_t opcode = -1;
  int32_t n_out = 0, n_in = 0, n_attr = 0;
  const View* operands = nullptr;
  const double* attrs = nullptr;
  Workspace& workspace;  // for whatever the driver needs besides

  const View& out(int i = 0) const { return operands[i]; }
  const View& in(int i) const { return operands[n_out + i]; }
};

}  // namespace nabla
