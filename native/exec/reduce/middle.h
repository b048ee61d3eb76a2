// Reduced dimensions that are neighbors.
#pragma once
#include "base/layout.h"

namespace nabla {

// x as [outer, n, inner], n of them reduced, if the reduced dimensions are neighbors.
struct Middle {
  bool fits = true;
  int64_t outer = 1, n = 1, inner = 1;

  Middle(const View& x, int mask) {
    int place = 0;  // before, in, or behind them
    for (int d = 0; d < x.rank; d++) {
      if (x.dims[d] == 1) continue;
      const bool reduced = mask >> d & 1;
      if (reduced && place == 2) fits = false;
      place = reduced ? 1 : place == 0 ? 0 : 2;
      (reduced ? n : place == 0 ? outer : inner) *= x.dims[d];
    }
  }
};

}  // namespace nabla
