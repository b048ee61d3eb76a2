// What this CPU can run, as its operating system allows.
#pragma once

namespace nabla {

// AVX2 and FMA, with the upper halves of the registers saved at a context switch.
bool cpu_has_avx2();
// AVX-512 F, DQ, BW and VL, and FMA, with mask registers and all of zmm0 to zmm31 saved too.
bool cpu_has_avx512();

}  // namespace nabla
