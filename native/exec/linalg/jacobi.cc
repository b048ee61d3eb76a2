// Eigenvectors and singular vectors by Jacobi rotations: slower than tridiagonal methods for large matrices, but as
// accurate as the elements allow, and always convergent.
#include <algorithm>
#include <cmath>

#include "exec/linalg/dense.h"

namespace nabla::dense {
namespace {

constexpr int kMostSweeps = 64;
constexpr double kZero = 0x1p-500;  // a length, of rows of elements below 2

// (x, y) -> (c x - s y, s x + c y).
struct Rotation {
  double c, s, t;
  // The rotation that diagonalizes a symmetric [[p, off], [off, q]] into p - t off and q + t off.
  Rotation(double p, double q, double off) {
    const double theta = (q - p) / (2 * off), root = std::fabs(theta) + std::sqrt(theta * theta + 1);
    t = theta < 0 ? -1 / root : 1 / root;
    c = 1 / std::sqrt(t * t + 1);
    s = t * c;
  }
  void apply(double* x, double* y, int64_t n) const {
    for (int64_t i = 0; i < n; i++) {
      const double a = x[i], b = y[i];
      x[i] = c * a - s * b;
      y[i] = s * a + c * b;
    }
  }
};

void identity(double* v, int64_t n) {
  for (int64_t i = 0; i < n * n; i++) v[i] = i / n == i % n;
}

// Makes the element of largest absolute value positive; returns whether the sign changed.
bool point_up(double* x, int64_t n) {
  int64_t best = 0;
  for (int64_t i = 1; i < n; i++)
    if (std::fabs(x[i]) > std::fabs(x[best])) best = i;
  if (n == 0 || !(x[best] < 0)) return false;
  for (int64_t i = 0; i < n; i++) x[i] = -x[i];
  return true;
}

void swap_rows(double* x, int64_t n, int64_t a, int64_t b) { std::swap_ranges(x + a * n, x + (a + 1) * n, x + b * n); }

// Replaces row `at` of x [n, n] by one orthonormal to the rows before it: the remainder of the unit vector that is
// farthest from their span.
void complete(double* x, int64_t n, int64_t at, double* left) {
  int64_t best = 0;
  for (int64_t i = 0; i < n; i++) {
    left[i] = 1;
    for (int64_t r = 0; r < at; r++) left[i] -= x[r * n + i] * x[r * n + i];
    if (left[i] > left[best]) best = i;
  }
  double* row = x + at * n;
  for (int64_t i = 0; i < n; i++) row[i] = i == best;
  for (int twice = 0; twice < 2; twice++)
    for (int64_t r = 0; r < at; r++) axpy(-dot(x + r * n, row, n), x + r * n, row, n);
  const double norm = std::sqrt(dot(row, row, n));
  for (int64_t i = 0; i < n; i++) row[i] /= norm;
}

}  // namespace

bool eigh(double* a, int64_t n, double* values, double* v, double* work) {
  const double scale = normalise(a, n * n);
  const double negligible = 0x1p-60;
  identity(v, n);
  bool rotated = n > 1;
  for (int sweep = 0; rotated; sweep++) {
    if (sweep == kMostSweeps) return false;
    rotated = false;
    for (int64_t p = 0; p < n; p++)
      for (int64_t q = p + 1; q < n; q++) {
        const double off = a[p * n + q];
        if (std::fabs(off) <= negligible) continue;
        rotated = true;
        double *x = a + p * n, *y = a + q * n;
        const double at_p = x[p], at_q = y[q];
        const Rotation rotation(at_p, at_q, off);
        rotation.apply(x, y, n);
        x[p] = at_p - rotation.t * off;
        y[q] = at_q + rotation.t * off;
        x[q] = y[p] = 0;
        for (int64_t k = 0; k < n; k++) {
          a[k * n + p] = x[k];
          a[k * n + q] = y[k];
        }
        rotation.apply(v + p * n, v + q * n, n);
      }
  }
  for (int64_t i = 0; i < n; i++) work[i] = a[i * n + i] * scale;
  // Insertion sort, which is stable.
  for (int64_t i = 1; i < n; i++)
    for (int64_t j = i; j > 0 && work[j] < work[j - 1]; j--) {
      std::swap(work[j], work[j - 1]);
      swap_rows(v, n, j, j - 1);
    }
  for (int64_t i = 0; i < n; i++) {
    values[i] = work[i];
    point_up(v + i * n, n);
  }
  return true;
}

bool svd(double* columns, int64_t m, int64_t n, double* values, double* v, double* work) {
  double *r = work, *rotations = work + n * n, *norms = work + 2 * n * n, *left = norms + n;
  const double scale = normalise(columns, m * n);
  qr(columns, m, n, r, norms);
  // Rows of R are made orthogonal: rotations R = diag(values) v, and A = (Q rotationsᵀ) diag(values) v.
  identity(rotations, n);
  const double small = 0x1p-52 * std::sqrt(static_cast<double>(n));
  bool rotated = n > 1;
  for (int sweep = 0; rotated; sweep++) {
    if (sweep == kMostSweeps) return false;
    rotated = false;
    for (int64_t p = 0; p < n; p++)
      for (int64_t q = p + 1; q < n; q++) {
        double *x = r + p * n, *y = r + q * n;
        const double xx = dot(x, x, n), yy = dot(y, y, n), xy = dot(x, y, n);
        // A dependent row shrinks to rounding errors, and then to theirs, until it counts as zero.
        if (std::fabs(xy) <= small * std::sqrt(xx) * std::sqrt(yy) || std::min(xx, yy) <= kZero * kZero) continue;
        rotated = true;
        const Rotation rotation(xx, yy, xy);
        rotation.apply(x, y, n);
        rotation.apply(rotations + p * n, rotations + q * n, n);
      }
  }
  for (int64_t i = 0; i < n; i++) norms[i] = std::sqrt(dot(r + i * n, r + i * n, n));
  for (int64_t i = 1; i < n; i++)
    for (int64_t j = i; j > 0 && norms[j] > norms[j - 1]; j--) {
      std::swap(norms[j], norms[j - 1]);
      swap_rows(r, n, j, j - 1);
      swap_rows(rotations, n, j, j - 1);
    }
  for (int64_t i = 0; i < n; i++) {
    if (norms[i] > kZero)
      for (int64_t k = 0; k < n; k++) v[i * n + k] = r[i * n + k] / norms[i];
    else {
      norms[i] = 0;
      complete(v, n, i, left);
    }
    values[i] = norms[i] * scale;
  }
  // Q rotationsᵀ, a row of Q at a time.
  for (int64_t i = 0; i < m; i++) {
    for (int64_t j = 0; j < n; j++) left[j] = columns[j * m + i];
    for (int64_t j = 0; j < n; j++) columns[j * m + i] = dot(rotations + j * n, left, n);
  }
  for (int64_t j = 0; j < n; j++)
    if (point_up(columns + j * m, m))
      for (int64_t k = 0; k < n; k++) v[j * n + k] = -v[j * n + k];
  return true;
}

}  // namespace nabla::dense
