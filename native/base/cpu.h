// Instruction sets that the CPU and the operating system support.
#pragma once

namespace nabla {

// AVX2 and FMA; the OS saves the upper halves of the registers.
bool cpu_has_avx2();
// AVX-512 F, DQ, BW and VL, and FMA; the OS saves mask registers and zmm0 to zmm31 too.
bool cpu_has_avx512();

}  // namespace nabla
