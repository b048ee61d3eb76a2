// What this CPU can run, as its operating system allows.
#pragma once

namespace nabla {

// AVX2 and FMA, with the upper halves of the registers saved at a context switch.
bool cpu_has_avx2();

}  // namespace nabla
