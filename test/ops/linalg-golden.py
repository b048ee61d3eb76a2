"""Writes linalg-golden.json: PyTorch's results and gradients for linear algebra, in float64.

Run with a Python that has PyTorch:  python linalg-golden.py
Signs that PyTorch leaves open are taken out by `oriented`; the loss of every case is the sum of its parts times fixed weights.
"""

import json
import pathlib

import torch

L = torch.linalg


def spd(x):
    return x @ x.mT + torch.eye(x.shape[-1], dtype=x.dtype)


def oriented(vectors, partner=None):
    """Columns whose element of largest absolute value is positive, and the partner's rows with the same signs."""
    at = vectors.detach().abs().argmax(-2, keepdim=True)
    sign = vectors.detach().gather(-2, at).sign()
    return vectors * sign if partner is None else (vectors * sign, partner * sign.mT)


def eigh(x):
    values, vectors = L.eigh(x + x.mT)
    return [values, oriented(vectors)]


def svd(x):
    u, s, vh = L.svd(x, full_matrices=False)
    if x.shape[-2] >= x.shape[-1]:
        u, vh = oriented(u, vh)
    else:
        v, uh = oriented(vh.mT, u.mT)
        u, vh = uh.mT, v.mT
    return [u, s, vh]


def lstsq(a, b):
    found = L.lstsq(a, b, driver="gelsd")
    return [found.solution, found.residuals]


CASES = [
    ("cholesky", lambda x: [L.cholesky(spd(x))], [(4, 4)]),
    ("cholesky", lambda x: [L.cholesky(spd(x))], [(2, 3, 3)]),
    ("triangularSolve", lambda a, b: [L.solve_triangular(a, b, upper=False)], [(4, 4), (4, 2)]),
    ("solve", lambda a, b: [L.solve(a, b)], [(4, 4), (4, 2)]),
    ("solve", lambda a, b: [L.solve(a, b)], [(2, 3, 3), (2, 3)]),
    ("inv", lambda a: [L.inv(a)], [(2, 4, 4)]),
    ("det", lambda a: [L.det(a)], [(2, 4, 4)]),
    ("slogdet", lambda a: list(L.slogdet(a)), [(2, 4, 4)]),
    ("qr", lambda a: list(L.qr(a)), [(5, 3)]),
    ("qr", lambda a: list(L.qr(a)), [(2, 4, 4)]),
    ("qr", lambda a: list(L.qr(a)), [(3, 5)]),
    ("eigh", eigh, [(2, 4, 4)]),
    ("svd", svd, [(5, 3)]),
    ("svd", svd, [(2, 3, 3)]),
    ("svd", svd, [(3, 5)]),
    ("pinv", lambda a: [L.pinv(a)], [(5, 3)]),
    ("pinv", lambda a: [L.pinv(a)], [(2, 3, 4)]),
    ("lstsq", lstsq, [(5, 3), (5, 2)]),
]


def main():
    torch.manual_seed(0)
    draw = lambda shape: torch.randn(shape, dtype=torch.float64)
    cases = []
    for name, function, shapes in CASES:
        inputs = [draw(shape).requires_grad_() for shape in shapes]
        parts = function(*inputs)
        weights = [draw(part.shape) for part in parts]
        loss = sum((part * weight).sum() for part, weight in zip(parts, weights) if part.requires_grad)
        gradients = torch.autograd.grad(loss, inputs)
        lists = lambda tensors: [t.detach().tolist() for t in tensors]
        case = {"name": name, "inputs": lists(inputs), "parts": lists(parts)}
        cases.append({**case, "weights": lists(weights), "gradients": lists(gradients)})
    path = pathlib.Path(__file__).with_name("linalg-golden.json")
    path.write_text(json.dumps({"torch": torch.__version__.split("+")[0], "cases": cases}) + "\n")


main()
