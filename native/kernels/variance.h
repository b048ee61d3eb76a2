// Squared differences from a mean, and what the derivative of a variance makes of the differences; in double.
#pragma once
#include <cstdint>

namespace nabla {

// Elements in rows, `stride` apart: of each row (`along`), or of each column, one value in `mean` and `scale`.
struct MeanTile {
  int64_t rows, columns, stride;
  bool along;
};

struct VarianceLeaf {
  // total[i] = sum of (x - mean[i])^2.
  void (*squares)(double* total, const void* x, const double* mean, const MeanTile& tile);
  // out = (x unit[i] - mean[i] unit[i]) * scale[i]; rows of out are `out_stride` apart.
  void (*differences)(void* out, int64_t out_stride, const void* x, const double* mean, const double* unit,
                      const double* scale, const MeanTile& tile);
};

struct VarianceTable {
  VarianceLeaf leaf[2];
};

}  // namespace nabla
