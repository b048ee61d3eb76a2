// Serial decompositions of one matrix in float64, row-major, in memory given by the caller. Uses no libm but the
// square root, which is exact everywhere; sums have a fixed order. NaN and infinity propagate unless stated
// otherwise.
#pragma once
#include <cstdint>

namespace nabla::dense {

// The Cholesky factor of a symmetric a [n, n], in place, from its lower triangle; zeros above. False if a is not
// positive definite. work: n.
bool cholesky(double* a, int64_t n, double* work);

// P A = L U in place: L below the diagonal without its ones, U on it and above; row i of P A is row order[i] of A.
// `odd` is whether P is an odd permutation. False where a pivot is 0, but finished all the same.
bool lu(double* a, int64_t n, int64_t* order, bool* odd);

// The derivatives (cofactors) of the determinant of a [n, n] (overwritten), of any rank, into c [n, n]: by complete
// pivoting, so that nothing is divided by the last pivot. work: n * n + 2 n.
void cofactors(double* a, int64_t n, double* c, double* work);

// x [n, k] = L⁻¹ x or U⁻¹ x in place, for the triangle of t [n, n]; `unit` takes its diagonal as ones.
void solve_lower(const double* t, int64_t n, bool unit, double* x, int64_t k);
void solve_upper(const double* t, int64_t n, bool unit, double* x, int64_t k);

// The columns of a [m, n] with m >= n, one after the other in `columns` [n, m], become those of Q [m, n]; r [n, n] is
// upper. Householder's reflections with LAPACK's signs. work: n.
void qr(double* columns, int64_t m, int64_t n, double* r, double* work);

// Eigenvalues in ascending order, and eigenvectors as rows of v, of a symmetric a [n, n] (overwritten), by Jacobi's
// rotations. The element of largest absolute value in each vector is positive. Needs finite elements; false where the
// rotations do not end. work: n.
bool eigh(double* a, int64_t n, double* values, double* v, double* work);

// Singular values in descending order of a [m, n] with m >= n, given by columns [n, m], which become the left vectors;
// the right ones are rows of v [n, n]. Signs as in eigh, in the left vectors. Needs finite elements. work: 2 n * n + 2
// n.
bool svd(double* columns, int64_t m, int64_t n, double* values, double* v, double* work);

// In eight partial sums, combined in a fixed order.
double dot(const double* x, const double* y, int64_t n);
// y += factor x.
void axpy(double factor, const double* x, double* y, int64_t n);
// Divides by a power of two so that the largest element lies in [1, 2); returns that power, 1 for zeros.
double normalise(double* x, int64_t n);

}  // namespace nabla::dense
