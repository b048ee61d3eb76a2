// Direct factorizations: Cholesky, LU, QR.
#include <bit>
#include <cmath>
#include <utility>

#include "exec/linalg/dense.h"

namespace nabla::dense {

double dot(const double* x, const double* y, int64_t n) {
  constexpr int kSums = 8;
  double sums[kSums] = {}, total = 0;
  int64_t i = 0;
  for (; i + kSums <= n; i += kSums)
    for (int j = 0; j < kSums; j++) sums[j] += x[i + j] * y[i + j];
  for (; i < n; i++) total += x[i] * y[i];
  for (double sum : sums) total += sum;
  return total;
}

void axpy(double factor, const double* x, double* y, int64_t n) {
  for (int64_t i = 0; i < n; i++) y[i] += factor * x[i];
}

double normalise(double* x, int64_t n) {
  double largest = 0;
  for (int64_t i = 0; i < n; i++)
    if (std::fabs(x[i]) > largest) largest = std::fabs(x[i]);
  // The exponent's bits, clamped so that both the power and its inverse are normal numbers.
  uint64_t exponent = std::bit_cast<uint64_t>(largest) >> 52;
  if (largest == 0 || exponent == 2047) return 1;
  exponent = exponent < 1 ? 1 : exponent > 2045 ? 2045 : exponent;
  const double inverse = std::bit_cast<double>((2046 - exponent) << 52);
  for (int64_t i = 0; i < n; i++) x[i] *= inverse;
  return std::bit_cast<double>(exponent << 52);
}

bool cholesky(double* a, int64_t n, double* work) {
  for (int64_t j = 0; j < n; j++) {
    const double pivot = a[j * n + j];
    if (!(pivot > 0) || !std::isfinite(pivot)) return false;
    const double root = std::sqrt(pivot);
    a[j * n + j] = root;
    for (int64_t i = j + 1; i < n; i++) a[i * n + j] = work[i] = a[i * n + j] / root;
    for (int64_t i = j + 1; i < n; i++) axpy(-work[i], work + j + 1, a + i * n + j + 1, i - j);
    for (int64_t k = j + 1; k < n; k++) a[j * n + k] = 0;
  }
  return true;
}

bool lu(double* a, int64_t n, int64_t* order, bool* odd) {
  bool regular = true;
  *odd = false;
  for (int64_t i = 0; i < n; i++) order[i] = i;
  for (int64_t j = 0; j < n; j++) {
    int64_t best = j;
    for (int64_t i = j + 1; i < n; i++)
      if (std::fabs(a[i * n + j]) > std::fabs(a[best * n + j])) best = i;
    if (best != j) {
      for (int64_t k = 0; k < n; k++) std::swap(a[j * n + k], a[best * n + k]);
      std::swap(order[j], order[best]);
      *odd = !*odd;
    }
    const double pivot = a[j * n + j];
    if (pivot == 0) {
      regular = false;
      continue;
    }
    for (int64_t i = j + 1; i < n; i++) {
      const double factor = a[i * n + j] /= pivot;
      axpy(-factor, a + j * n + j + 1, a + i * n + j + 1, n - j - 1);
    }
  }
  return regular;
}

void solve_lower(const double* t, int64_t n, bool unit, double* x, int64_t k) {
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j < i; j++) axpy(-t[i * n + j], x + j * k, x + i * k, k);
    if (!unit)
      for (int64_t c = 0; c < k; c++) x[i * k + c] /= t[i * n + i];
  }
}

void solve_upper(const double* t, int64_t n, bool unit, double* x, int64_t k) {
  for (int64_t i = n - 1; i >= 0; i--) {
    for (int64_t j = i + 1; j < n; j++) axpy(-t[i * n + j], x + j * k, x + i * k, k);
    if (!unit)
      for (int64_t c = 0; c < k; c++) x[i * k + c] /= t[i * n + i];
  }
}

void cofactors(double* a, int64_t n, double* c, double* work) {
  double* x = work;  // the inverse of L, then the adjugate of L U but for its factor
  auto *rows = reinterpret_cast<int64_t*>(work + n * n), *columns = rows + n;
  double factor = 1;  // the determinant of U without its last row and column, and the permutations' sign
  for (int64_t i = 0; i < n * n; i++) c[i] = x[i] = 0;
  for (int64_t i = 0; i < n; i++) rows[i] = columns[i] = i, x[i * n + i] = 1;
  for (int64_t j = 0; j + 1 < n; j++) {
    int64_t row = j, column = j;
    for (int64_t i = j; i < n; i++)
      for (int64_t k = j; k < n; k++)
        if (std::fabs(a[i * n + k]) > std::fabs(a[row * n + column])) row = i, column = k;
    if (row != j) {
      for (int64_t k = 0; k < n; k++) std::swap(a[j * n + k], a[row * n + k]);
      std::swap(rows[j], rows[row]);
      factor = -factor;
    }
    if (column != j) {
      for (int64_t i = 0; i < n; i++) std::swap(a[i * n + j], a[i * n + column]);
      std::swap(columns[j], columns[column]);
      factor = -factor;
    }
    const double pivot = a[j * n + j];
    if (pivot == 0) return;  // a rank of n - 2 or less
    factor *= pivot;
    for (int64_t i = j + 1; i < n; i++) {
      const double part = a[i * n + j] /= pivot;
      axpy(-part, a + j * n + j + 1, a + i * n + j + 1, n - j - 1);
    }
  }
  if (n == 0) return;
  solve_lower(a, n, true, x, n);
  // With U = [V u; 0 d] the adjugate is det(V) [d V⁻¹, -V⁻¹ u; 0, 1], here times L⁻¹.
  double *last = a + (n - 1) * n, *bottom = x + (n - 1) * n;
  for (int64_t i = 0; i + 1 < n; i++) {
    for (int64_t k = 0; k < n; k++) x[i * n + k] *= last[n - 1];
    axpy(-a[i * n + n - 1], bottom, x + i * n, n);
    a[i * n + n - 1] = 0;
  }
  last[n - 1] = 1;
  solve_upper(a, n, false, x, n);
  for (int64_t i = 0; i < n; i++)
    for (int64_t k = 0; k < n; k++) c[rows[i] * n + columns[k]] = factor * x[k * n + i];
}

void qr(double* columns, int64_t m, int64_t n, double* r, double* work) {
  const double scale = normalise(columns, m * n);
  // Column j holds the reflection I - tau v vᵀ below row j (v[j] = 1 is not stored), R's column above it.
  for (int64_t j = 0; j < n; j++) {
    double* x = columns + j * m;
    const double below = dot(x + j + 1, x + j + 1, m - j - 1), head = x[j];
    double& tau = work[j];
    tau = 0;
    if (below != 0) {
      const double norm = std::sqrt(head * head + below), beta = head < 0 ? norm : -norm;
      tau = (beta - head) / beta;
      for (int64_t i = j + 1; i < m; i++) x[i] /= head - beta;
      x[j] = beta;
    }
    for (int64_t c = j + 1; c < n; c++) {
      double* y = columns + c * m;
      const double along = tau * (y[j] + dot(x + j + 1, y + j + 1, m - j - 1));
      y[j] -= along;
      axpy(-along, x + j + 1, y + j + 1, m - j - 1);
    }
  }
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) r[i * n + j] = j < i ? 0 : columns[j * m + i] * scale;
  // Applies the reflections, last first, to the columns of the identity; column j is zero above row j at that point.
  for (int64_t j = n - 1; j >= 0; j--) {
    double* x = columns + j * m;
    for (int64_t c = j + 1; c < n; c++) {
      double* y = columns + c * m;
      const double along = work[j] * (y[j] + dot(x + j + 1, y + j + 1, m - j - 1));
      y[j] -= along;
      axpy(-along, x + j + 1, y + j + 1, m - j - 1);
    }
    for (int64_t i = 0; i < j; i++) x[i] = 0;
    x[j] = 1 - work[j];
    for (int64_t i = j + 1; i < m; i++) x[i] *= -work[j];
  }
}

}  // namespace nabla::dense
