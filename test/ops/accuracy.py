"""Writes accuracy.json: how far NumPy's float32 results are from float64 ones, on data that accuracy.test.ts makes too.

Run with a Python that has NumPy:  python accuracy.py
"""

import json
import pathlib

import numpy as np


def hashed(n, seed):
    """Numbers of 0 to 2^32 - 1 that JavaScript's Math.imul gives as well."""
    h = (np.arange(n, dtype=np.uint32) + np.uint32(seed * 1000003 + 1)) * np.uint32(2654435761)
    h = (h ^ (h >> np.uint32(15))) * np.uint32(2246822519)
    return (h ^ (h >> np.uint32(13))).astype(np.float64)


def data(kind, shape, seed):
    n = int(np.prod(shape))
    u = hashed(n, seed) / 2**32
    if kind == "alternating":
        u = u * np.where(np.arange(n) % 2 == 0, 1, -1)
    elif kind == "magnitudes":
        u = (u - 0.5) * 2.0 ** (hashed(n, seed + 1) % 21 - 10)
    elif kind == "offset":
        u = u + 1000
    return u.astype(np.float32).reshape(shape)


def logsumexp(x, axis):
    top = x.max(axis, keepdims=True)
    return np.log(np.exp(x - top).sum(axis)) + top.squeeze(axis)


OPS = {
    "sum": lambda x, axis: x.sum(axis),
    "mean": lambda x, axis: x.mean(axis),
    "var": lambda x, axis: x.var(axis, ddof=1),
    "norm": lambda x, axis: np.linalg.norm(x, axis=axis),
    "logsumexp": logsumexp,
    "cumsum": lambda x, axis: x.cumsum(axis),
}
KINDS = ["uniform", "alternating", "magnitudes", "offset"]
REDUCED = [((16, 65536), 1), ((65536, 16), 0), ((64, 1000), 1), ((1, 1000003), 1)]
PRODUCTS = [(32, 32, 32), (64, 1000, 48), (5, 4096, 7), (130, 257, 65), (1, 100003, 1)]


def figures(got, wanted):
    assert got.dtype == np.float32 and wanted.dtype == np.float64
    error = np.abs(got.astype(np.float64) - wanted)
    return {"max": float(error.max()), "mean": float(error.mean())}


def main():
    cases = []
    for op, function in OPS.items():
        for kind in KINDS:
            for shape, axis in REDUCED:
                x = data(kind, shape, 1)
                numpy = figures(function(x, axis), function(x.astype(np.float64), axis))
                cases.append({"op": op, "kind": kind, "shape": shape, "dim": axis, "numpy": numpy})
    for kind in KINDS:
        for m, k, n in PRODUCTS:
            a, b = data(kind, (m, k), 1), data(kind, (k, n), 5)
            numpy = figures(a @ b, a.astype(np.float64) @ b.astype(np.float64))
            cases.append({"op": "matmul", "kind": kind, "shape": [m, k, n], "dim": 0, "numpy": numpy})
    path = pathlib.Path(__file__).with_name("accuracy.json")
    lines = ",\n".join(json.dumps(c) for c in cases)
    path.write_text(f'{{"numpy": "{np.__version__}", "cases": [\n{lines}\n]}}\n')


main()
