// From an instruction to memory: the storages that its operands name, and new ones for its results.
#pragma once
#include "binding/environment.h"
#include "binding/instruction.h"

namespace nabla {

// The new storages of an instruction, in the order of its outputs. Those that nobody takes over are released at the
// end.
class Results {
 public:
  Results() = default;
  Results(const Results&) = delete;
  Results& operator=(const Results&) = delete;
  ~Results() {
    for (; taken_ < count_; taken_++) release(list_[taken_].storage);
  }
  struct Result {
    int32_t operand;
    Storage* storage;
  };
  void add(Result result) { list_[count_++] = result; }
  bool empty() const { return taken_ == count_; }
  const Result& next() const { return list_[taken_]; }
  void take_over() { taken_++; }

 private:
  Result list_[kMaxObjects + 1];
  int taken_ = 0, count_ = 0;
};

// Points the views at their data: at the storages of existing operands, which are checked, at the values of scalars,
// and at new storages for results.
Status resolve(Environment& e, Instruction& instruction, Results& results);
// The same for one operand of the frame that is neither a new result nor part of an instruction.
Status resolve_operand(Environment& e, int32_t index, Operand& operand, View& view);
// Decodes and resolves the operand of a frame with exactly one operand and no attributes.
Status only_operand(Environment& e, Operand& operand, View& view);

}  // namespace nabla
