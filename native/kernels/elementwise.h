// Elementwise leaves: out[i] = f(in0[i], in1[i], ...) over n contiguous elements of one dtype.
#pragma once
#include <cstdint>

#include "base/dtype.h"

namespace nabla {

// args[0] is the output, args[1..arity] the inputs; the first input of `where` is bool, all others have the dtype of
// the leaf; the output has it too, or is bool. It may be an input (the same pointer, where sizes agree), never overlap
// one. With `streaming`, which kernels heed where `can_stream`, the output is written by streaming stores and is
// aligned to 64 bytes; runtime/memory.h's end_streaming() must follow.
using ElementwiseFn = void (*)(void* const* args, int64_t n, bool streaming);

enum class Domain { FLOATS, NUMBERS, ALL, BOOLS };  // NUMBERS: all but bool
enum class Result { SAME, BOOL };

constexpr bool in_domain(Domain domain, DType t) {
  switch (domain) {
    case Domain::FLOATS: return is_float(t);
    case Domain::NUMBERS: return t != DType::BOOL;
    case Domain::BOOLS: return t == DType::BOOL;
    case Domain::ALL: break;
  }
  return true;
}

// Rows in the order of list.def.
struct ElementwiseTable {
  const ElementwiseFn (*leaf)[kDTypeCount];  // null outside the domain, and of halves but for `identity`
};

}  // namespace nabla
