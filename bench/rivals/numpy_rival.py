import numpy as np
from inputs import probe, serve, uniform


def matmul(spec):
    m, k, n = spec["m"], spec["k"], spec["n"]
    a = uniform((k, m), 1).T if spec["transA"] else uniform((m, k), 1)
    b = uniform((n, k), 2).T if spec["transB"] else uniform((k, n), 2)
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
        "sum": lambda: a.sum(),
    }[spec["op"]]
    return [float(step())] if spec["op"] == "sum" else probe(step()), step


def forward(_):
    a, b = uniform(4, 1), uniform(4, 2)
    return (a * b).tolist(), lambda: a * b


serve(np.__version__, {"matmul": matmul, "elementwise": elementwise, "forward": forward})
