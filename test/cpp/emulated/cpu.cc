// A build that emulates AVX-512 has it wherever the emulation's own FMA runs.
#include "base/cpu.h"

namespace nabla {

bool cpu_has_avx512() { return cpu_has_avx2(); }

}  // namespace nabla
