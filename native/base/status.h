// The result of a native call: an error code and a message that needs no allocation.
#pragma once
#include <cstdint>

namespace nabla {

#define NABLA_CODES(X) X(OK) X(SHAPE) X(DTYPE) X(AXIS) X(ARGUMENT) X(INDEX) X(DISPOSED) X(GRADIENT) X(MEMORY) X(NATIVE)

enum class Code : int32_t {
#define X(name) name,
  NABLA_CODES(X)
#undef X
};

constexpr const char* kCodeNames[] = {
#define X(name) "ERR_" #name,
    NABLA_CODES(X)
#undef X
};

struct Status {
  Code code = Code::OK;
  const char* message = "";  // static storage
  int32_t operand = -1;      // which operand of the call, or -1
  int64_t detail = 0;        // an index, a size, an opcode or the bits of a double, as the kernel says

  bool ok() const { return code == Code::OK; }
};

inline Status fail(Code code, const char* message, int32_t operand = -1, int64_t detail = 0) {
  return {code, message, operand, detail};
}

inline Status out_of_memory(int32_t operand = -1, int64_t detail = 0) {
  return fail(Code::MEMORY, "out of memory", operand, detail);
}

#define NABLA_TRY(expr)                            \
  do {                                             \
    ::nabla::Status nabla_status_ = (expr);        \
    if (!nabla_status_.ok()) return nabla_status_; \
  } while (0)

}  // namespace nabla
