// The driver of each opcode. The only entry from binding/ to exec/.
#pragma once
#include "exec/call.h"

namespace nabla {

// Operands are within their storages (binding/ has checked); everything else is checked here.
Status run(const Call& call);

int32_t opcode_count();
const char* opcode_name(int32_t opcode);

// The source of an object that was compiled with another list.def than the registry, or null. Its kernels have other
// numbers, so the library must not be used.
const char* stale_object();

}  // namespace nabla
