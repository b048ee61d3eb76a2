// Decompositions and solvers, batched over the leading dimensions. All operands are contiguous matrices of one float
// dtype; computes in float64 and rounds once. ERR_ARGUMENT's detail is the first refused matrix.
#pragma once
#include "exec/call.h"

namespace nabla {

// out = L, the lower factor of x = L Lᵀ.
Status run_cholesky(const Call& call);
// out = T⁻¹ b for a triangle T of the first input. attrs: [upper, unit].
Status run_triangular_solve(const Call& call);
// out = a⁻¹ b.
Status run_solve(const Call& call);
// out [..] = det x; out [.., 2] = the sign of det x and log |det x|.
Status run_det(const Call& call);
Status run_slogdet(const Call& call);
// out [.., n, n] = the derivatives of det x by the elements of x, of any rank.
Status run_cofactors(const Call& call);
// For x [.., m, n] with m >= n. out [.., m + n, n]: Q, then R below it.
Status run_qr(const Call& call);
// out [.., n + 1, n]: the eigenvalues, then the eigenvectors as columns. Reads the lower triangle.
Status run_eigh(const Call& call);
// For x [.., m, n] with m >= n. out [.., m + 1 + n, n]: U, the singular values, Vᵀ.
Status run_svd(const Call& call);
// For x [.., m, n] with m >= n. out [.., n, m]: singular values of at most attrs [rtol] times the largest count as 0.
Status run_pinv(const Call& call);

}  // namespace nabla
