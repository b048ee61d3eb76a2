"""Files that NumPy writes, and what is in them, as npy.json. With a folder as argument: checks the files that
test/io/scripts/numpy.mjs has written there."""
import base64
import io
import json
import pathlib
import sys

import numpy as np
from numpy.lib import format as npy

here = pathlib.Path(__file__).parent


def bytes_of(write):
    out = io.BytesIO()
    write(out)
    return base64.b64encode(out.getvalue()).decode()


def plain(a):
    if a.dtype.kind == "f":
        return [str(x) for x in a.ravel().astype("float64").tolist()]
    return [str(int(x)) for x in a.ravel().tolist()]


def entry(name, a, version=None):
    return {
        "name": name,
        "file": bytes_of(lambda out: npy.write_array(out, a, version=version)),
        "shape": list(a.shape),
        "values": plain(a),
    }


def golden():
    arrays = []
    for code in ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]:
        a = np.array([[0, 1, 2], [100, 7, 1]]).astype(code)
        if code[0] in "if":
            a[1, 1] = -3
        for order in [""] if code in ["?", "i1", "u1"] else ["<", ">"]:
            arrays.append(entry(f"{order}{code}", a.astype(order + code)))
    extremes = {"f2": 65504, "f4": 3.4028234663852886e38, "f8": 5e-324, "i8": -(2**63), "u4": 2**32 - 1}
    for code, x in extremes.items():
        arrays.append(entry(f"extremes of {code}", np.array([x, 1], code)))
    a = np.arange(24, dtype="<f4").reshape(2, 3, 4)
    arrays.append(entry("Fortran order", np.asfortranarray(a)))
    arrays.append(entry("Fortran order, big-endian", np.asfortranarray(a.astype(">f8"))))
    arrays.append(entry("rank 0", np.array(7.5)))
    arrays.append(entry("empty", np.zeros((3, 0), "<f4")))
    for version in [(1, 0), (2, 0), (3, 0)]:
        arrays.append(entry(f"version {version[0]}", np.array([1, 2], "<i4"), version))
    refused = {
        "complex": np.array([1j]),
        "objects": np.array([{}], object),
        "records": np.zeros(2, [("a", "<f4"), ("b", "<i4")]),
        "nested records": np.zeros(2, [("a", [("b", "<f4")], (2,))]),
        "text": np.array(["ab"]),
        "bytes": np.array([b"ab"]),
        "dates": np.array(["2020-01-01"], "datetime64[D]"),
        "long floats": np.array([1], np.longdouble),
    }
    w, b, m = np.arange(6, dtype="<f4").reshape(2, 3), np.array([True, False]), np.asfortranarray(np.eye(2, dtype="<i8"))
    contents = {"w": w, "layer/b": b, "m": m}
    return {
        "arrays": arrays,
        "refused": {name: bytes_of(lambda out: npy.write_array(out, a)) for name, a in refused.items()},
        "archives": {
            "savez": bytes_of(lambda out: np.savez(out, **contents)),
            "savez_compressed": bytes_of(lambda out: np.savez_compressed(out, **contents)),
        },
        "contents": {name: {"shape": list(a.shape), "values": plain(a)} for name, a in contents.items()},
    }


def check(folder):
    wanted = json.loads((folder / "wanted.json").read_text())
    for name, (dtype, shape, values) in wanted.items():
        archives = [np.load(folder / file) for file in ["plain.npz", "compressed.npz"]]
        for a in [np.load(folder / f"{name}.npy"), *(archive[name] for archive in archives)]:
            assert (a.dtype == dtype, list(a.shape), plain(a)) == (True, shape, values), name
    assert all(sorted(archive.files) == sorted(wanted) for archive in archives)
    print(len(wanted), "arrays, each from three files: NumPy", np.__version__)


if len(sys.argv) > 1:
    check(pathlib.Path(sys.argv[1]))
else:
    (here / "npy.json").write_text(json.dumps(golden(), indent=1) + "\n")
