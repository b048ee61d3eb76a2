"""Writes print-golden.json: arrays and the text NumPy lays out for them (made with NumPy 2.4.6).

Only the wrapping is ours: the prefix `tensor(`, the dtype always, the shape in brackets.
Run: python3 print-golden.py > print-golden.json
"""

import json

import numpy as np


def text(a, **options):
    body = np.array2string(a, separator=", ", prefix="tensor(", suffix=")", **options)
    extras = "dtype=" + a.dtype.name + ")"
    if (a.size == 0 and a.ndim != 1) or a.size > options.get("threshold", 1000):
        extras = "shape=[" + ", ".join(map(str, a.shape)) + "], " + extras
    text = "tensor(" + body + ","
    last_line = len(text) - (text.rfind("\n") + 1)
    wraps = last_line + len(extras) + 1 > options.get("max_line_width", 75)
    return text + ("\n" + " " * len("tensor(") if wraps else " ") + extras


def plain(value):
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return str(value) if isinstance(value, int) and abs(value) >= 2**53 else value


NAMES = {"precision": "precision", "threshold": "threshold", "edgeitems": "edgeItems", "max_line_width": "lineWidth", "suppress_small": "suppress"}


def case(name, a, **options):
    row = {"name": name, "dtype": a.dtype.name, "shape": list(a.shape), "data": [plain(v) for v in a.ravel().tolist()]}
    if options:
        row["options"] = {NAMES[key]: value for key, value in options.items()}
    return row | {"text": text(a, **options)}


def cases():
    f4, f8, i4, i8 = np.float32, np.float64, np.int32, np.int64
    inf, nan = np.inf, np.nan
    rng = np.random.default_rng(7)
    for dtype in (f4, f8):
        tag = np.dtype(dtype).name
        yield case(f"{tag} scalar", np.array(3.5, dtype))
        yield case(f"{tag} whole scalar", np.array(2, dtype))
        yield case(f"{tag} tiny scalar", np.array(1.5e-9, dtype))
        yield case(f"{tag} minus zero", np.array([-0.0, 0.0], dtype))
        yield case(f"{tag} zeros", np.zeros((2, 3), dtype))
        yield case(f"{tag} tenths", np.array([0.1, 0.2, 0.3, 1 / 3], dtype))
        yield case(f"{tag} uneven columns", np.array([[1, -2.5], [100.125, 0]], dtype))
        yield case(f"{tag} vector that wraps", rng.standard_normal(17).astype(dtype))
        yield case(f"{tag} normals", rng.standard_normal((3, 4)).astype(dtype))
        yield case(f"{tag} wide range", np.array([1e-3, 1, 2000.5], dtype))
        yield case(f"{tag} just not wide", np.array([1, 1000], dtype))
        yield case(f"{tag} small", np.array([9.9e-5, 0.1], dtype))
        yield case(f"{tag} at the lower bound", np.array([1e-4, 0.05], dtype))
        yield case(f"{tag} million", np.array([999999, 1e6], dtype))
        yield case(f"{tag} hundred million", np.array([1, 123456789], dtype))
        yield case(f"{tag} long exponents", np.array([1e-30, 1e30], dtype))
        yield case(f"{tag} nan and inf", np.array([nan, inf, -inf, 1], dtype))
        yield case(f"{tag} nan among negatives", np.array([[nan, -1.25], [3, inf]], dtype))
        yield case(f"{tag} nan among small ones", np.array([nan, 1e-12, -inf], dtype))
        yield case(f"{tag} only nan", np.array([nan, nan], dtype))
        yield case(f"{tag} only infinities", np.array([inf, -inf], dtype))
        yield case(f"{tag} ties at the cut", np.array([2.0**-9, 3 * 2.0**-9, 5 * 2.0**-10], dtype))
        yield case(f"{tag} power of two below", np.array([2.0**-24, 2.0**-96, 2.0**87], dtype))
        yield case(f"{tag} extremes", np.array([np.finfo(dtype).max, np.finfo(dtype).tiny, np.finfo(dtype).smallest_subnormal], dtype))
        yield case(f"{tag} cube", np.arange(12, dtype=dtype).reshape(2, 2, 3))
        yield case(f"{tag} shortened matrix", np.arange(1200, dtype=dtype).reshape(30, 40))
        yield case(f"{tag} suppressed", np.array([1e-9, 1e-3, 50], dtype), suppress_small=True)
        yield case(f"{tag} three places", np.array([[np.pi, -np.e], [100, 0.0005]], dtype), precision=3)
        yield case(f"{tag} four places, scientific", np.array([1e-9, np.pi], dtype), precision=4)
    yield case("long exponents of three digits", np.array([1e-300, 1, -1e200]))
    yield case("scientific ties", np.array([1234567885.0, 1e-3, 1234567895.0, 2.5e22]), precision=8)
    yield case("bool scalar", np.array(True))
    yield case("bool matrix", np.array([[True, False], [False, True]]))
    yield case("int scalar", np.array(-7, i4))
    yield case("ints of both signs", np.array([[1, -20], [300, 4]], i4))
    yield case("int64 beyond double", np.array([2**63 - 1, -(2**63)], i8))
    yield case("uint8", np.array([0, 255, 7], np.uint8))
    yield case("int vector that wraps", np.arange(40, dtype=i8))
    yield case("a thousand is not shortened", np.arange(1000, dtype=i4))
    yield case("shortened vector", np.arange(1001, dtype=i4))
    yield case("shortened cube", np.arange(8 * 9 * 20, dtype=i4).reshape(8, 9, 20))
    yield case("only the long axis is shortened", np.arange(2002, dtype=i4).reshape(2, 1001))
    yield case("four axes", np.arange(16, dtype=i4).reshape(2, 2, 2, 2))
    yield case("own threshold", np.arange(10, dtype=i4), threshold=5, edgeitems=2)
    yield case("narrow lines", np.arange(12, dtype=f4) / 4, max_line_width=30)
    yield case("dtype on its own line", np.arange(17, dtype=f8) / 8)
    yield case("empty vector", np.zeros(0, f4))
    yield case("empty matrix", np.zeros((0, 3), f8))
    yield case("empty inner axis", np.zeros((2, 0), i4))
    yield case("columns of ones", np.ones((3, 1), f4))
    yield case("numbers wider than the line", np.full((2, 2), 1.23456789e-300), max_line_width=20)


if __name__ == "__main__":
    print("[\n" + ",\n".join("  " + json.dumps(row, separators=(",", ":")) for row in cases()) + "\n]")
