// One call as plain data, which is what the call frame holds: opcode, operands and attributes. decode reads and checks
// it without the storages that it names; resolve finds those.
#pragma once
#include <cstdint>
#include <vector>

#include "base/layout.h"
#include "base/status.h"
#include "binding/frame.h"
#include "exec/call.h"

namespace nabla {

constexpr int kMaxObjects = 8;  // of one call: handles of new results, and a node

// The fields of an operand besides its view.
struct Operand {
  int32_t slot, generation, flags, version, block;
  int64_t offset;  // elements
  int64_t reach;   // the least number of elements of a storage that the view fits in
  int64_t value;   // a scalar's, in its own dtype

  bool has(int32_t bits) const { return (flags & bits) != 0; }
  bool fresh() const { return has(flag::fresh); }
};

struct Instruction {
  int32_t opcode = -1, outs = 0, ins = 0, n_attr = 0;
  int32_t handles = 0;    // of new results; one in a block needs none
  bool in_block = false;  // whether there is such a result
  bool has_node = false;
  // Outputs first. The views have no data until resolve. All three only grow, and may be longer than the call needs.
  std::vector<Operand> operands;
  std::vector<View> views;
  std::vector<double> attrs;

  int32_t count() const { return outs + ins; }
  Call call(Workspace& workspace) const { return {opcode, outs, ins, n_attr, views.data(), attrs.data(), workspace}; }
};

inline Status malformed(int32_t operand = -1) { return fail(Code::NATIVE, "the call frame is malformed", operand); }

// Reads the frame's call.
Status decode(const Frame& frame, Instruction& out);
// Reads operand number `index`; doubles are read at `cursor`, which advances.
Status decode_operand(const Frame& frame, int32_t index, size_t& cursor, Operand& out, View& view);

}  // namespace nabla
