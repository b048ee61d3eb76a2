// Selects the instruction set.
#include <atomic>
#include <cstring>

#include "base/cpu.h"
#include "base/settings.h"
#include "kernels/table.h"

namespace nabla {

namespace scalar {
extern const KernelTable table;
}
#if defined(NABLA_HAVE_AVX2)
namespace avx2 {
extern const KernelTable table;
}
#endif
#if defined(NABLA_HAVE_AVX512)
namespace avx512 {
extern const KernelTable table;
}
#endif
#if defined(NABLA_HAVE_NEON)
namespace neon {
extern const KernelTable table;
}
#endif

namespace {

std::atomic<const KernelTable*> chosen{nullptr};

const KernelTable* find(const char* name) {
  const KernelTable* tables[8];
  const int n = available_isas(tables, 8);
  for (int i = 0; i < n; i++)
    if (std::strcmp(tables[i]->isa, name) == 0) return tables[i];
  return nullptr;
}

const KernelTable* choose() {
  if (const KernelTable* named = find(settings().isa)) return named;
  const KernelTable* best;
  available_isas(&best, 1);
  return best;
}

}  // namespace

int available_isas(const KernelTable** out, int capacity) {
  int n = 0;
#if defined(NABLA_HAVE_AVX512)
  if (n < capacity && cpu_has_avx512()) out[n++] = &avx512::table;
#endif
#if defined(NABLA_HAVE_AVX2)
  if (n < capacity && cpu_has_avx2()) out[n++] = &avx2::table;
#endif
#if defined(NABLA_HAVE_NEON)
  if (n < capacity) out[n++] = &neon::table;
#endif
  if (n < capacity) out[n++] = &scalar::table;
  return n;
}

const KernelTable& kernels() {
  const KernelTable* table = chosen.load(std::memory_order_acquire);
  if (!table) {
    // Two threads may run this at once: both choose the same, unless a test forces another meanwhile.
    const KernelTable* best = choose();
    table = chosen.compare_exchange_strong(table, best, std::memory_order_acq_rel) ? best : table;
  }
  return *table;
}

const KernelTable* force_isa(const char* name) {
  const KernelTable* table = find(name);
  if (table) chosen.store(table, std::memory_order_release);
  return table;
}

}  // namespace nabla
