import math

import numpy as np
from inputs import probe, serve, uniform


def matmul(spec):
    m, k, n, batch = spec["m"], spec["k"], spec["n"], spec.get("batch")
    lead = (batch,) if batch else ()

    def operand(rows, columns, seed, transposed):
        x = uniform(lead + ((columns, rows) if transposed else (rows, columns)), seed).astype(spec.get("dtype", "float32"))
        return x.swapaxes(-1, -2) if transposed else x

    a, b = operand(m, k, 1, spec["transA"]), operand(k, n, 2, spec["transB"])
    return probe(a @ b), lambda: a @ b


def elementwise(spec):
    a, b = uniform(spec["size"], 1), uniform(spec["size"], 2)
    one, zero = np.float32(1), np.float32(0)
    step = {
        "add": lambda: a + b,
        "mul": lambda: a * b,
        "exp": lambda: np.exp(a),
        "tanh": lambda: np.tanh(a),
        "sigmoid": lambda: one / (one + np.exp(-a)),
        "relu": lambda: np.maximum(a, zero),
    }.get(spec["op"])
    if step is None:
        raise NotImplementedError(f"NumPy has no {spec['op']}")
    return probe(step()), step


def reduce(spec):
    op, dim = spec["op"], spec.get("dim")
    if op == "sum":
        side = math.isqrt(spec["size"])
        x = uniform((side, side), 1)
        step = x.sum if dim is None else lambda: x.sum(dim)
        return [float(step())] if dim is None else probe(step()), step
    x = uniform(spec["size"], 1)
    step = {
        "sort": lambda: np.sort(x),
        "argsort": lambda: np.argsort(x),
        "topk": lambda: np.sort(np.partition(x, -100)[-100:])[::-1],
    }[op]
    return probe(x[step()] if op == "argsort" else step()), step


def forward(_):
    a, b = uniform(4, 1), uniform(4, 2)
    return (a * b).tolist(), lambda: a * b


serve(np.__version__, {"matmul": matmul, "elementwise": elementwise, "forward": forward, "reduce": reduce})
