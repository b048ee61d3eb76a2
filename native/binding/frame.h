// The call frame shared with JavaScript: the offset of each number. lib/native/frame.ts reads them from `layout` at
// load.
#pragma once
#include <cstddef>
#include <cstdint>

namespace nabla {

// X(name, index) of the header's integers
#define NABLA_FRAME_HEADER(X) \
  X(code, 0)                  \
  X(operand, 1)               \
  X(detail, 2)                \
  X(pressure, 3)              \
  X(opcode, 4)                \
  X(outs, 5)                  \
  X(ins, 6)                   \
  X(attrs, 7)                 \
  X(hasNode, 8)               \
  X(releases, 9)              \
  X(node, 10)                 \
  X(nodeGeneration, 11)       \
  X(detailHigh, 12)

// X(name, bit) of an operand's flags
#define NABLA_OPERAND_FLAGS(X) \
  X(contiguous, 1)             \
  X(scalar, 2)                 \
  X(fresh, 4)                  \
  X(save, 8)                   \
  X(write, 16)                 \
  X(expect, 32)                \
  X(block, 64)

namespace field {
enum : int32_t {
#define X(name, index) name = index,
  NABLA_FRAME_HEADER(X)
#undef X
};
}  // namespace field

namespace flag {
enum : int32_t {
#define X(name, bit) name = bit,
  NABLA_OPERAND_FLAGS(X)
#undef X
};
}  // namespace flag

// Release pairs start here, operands after them: (slot, generation) ends a handle, (-1 - id, generation) a node,
// (-1 - id, -generation) only what the node pins.
constexpr int32_t kReleaseBase = 16;
constexpr int32_t kReleaseCapacity = 256;
constexpr int32_t kOperandBase = kReleaseBase + 2 * kReleaseCapacity;
// An operand: slot, generation, dtype, rank, flags, version, block.
constexpr int32_t kOperandInts = 8;
// Every call except execute may use this many operands without checking the frame's size.
constexpr int32_t kSmallestFrame = kOperandBase + 8 * kOperandInts;
// The number of small new results that share a weak reference; see Block.
constexpr int32_t kBlockSlots = 16;
constexpr int32_t kBlockBytes = 512;

struct Frame {
  volatile int32_t* ints = nullptr;
  volatile double* doubles = nullptr;
  size_t int_count = 0, double_count = 0;
};

}  // namespace nabla
