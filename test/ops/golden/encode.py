"""How a case becomes a row of golden.json: arguments, PyTorch's result, and the derivatives of first and second order."""

import math
import re

import torch

DTYPES = {
    torch.float64: "float64",
    torch.float32: "float32",
    torch.int64: "int64",
    torch.int32: "int32",
    torch.uint8: "uint8",
    torch.bool: "bool",
}
# nabla's indices are int32.
INDEX = set("argmax argmin argsort sort topk max min median nonzero searchsorted".split())

# Parts of results that both name alike.
NAMES = ["values", "indices", "sign", "logabsdet"]


def snake(name):
    return re.sub(r"([A-Z])", r"_\1", name).lower()


def number(value, dtype):
    if isinstance(value, bool) or not dtype.is_floating_point:
        return int(value)
    if not math.isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if dtype == torch.float32:
        value = float(f"{value:.9g}")
    return int(value) if value == int(value) and abs(value) < 2**53 and math.copysign(1, value) * value >= 0 and str(value) != "-0.0" else value


def encode(x):
    if isinstance(x, torch.Tensor):
        flat = x.detach().resolve_conj().contiguous().reshape(-1).tolist()
        out = {"t": DTYPES[x.dtype], "s": list(x.shape), "v": [number(v, x.dtype) for v in flat]}
        return out if x.is_contiguous() else {**out, "strided": 1}
    if isinstance(x, dict):
        return {k: encode(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [encode(v) for v in x]
    if isinstance(x, float):
        return number(x, torch.float64)
    return x


def pattern(shape, dtype, step):
    """The weights that both sides put on results (step 7) and on gradients (step 5)."""
    n = math.prod(shape)
    return torch.tensor([((i * step + 3) % 11 - 5) / 4 for i in range(n)], dtype=torch.float64).to(dtype).reshape(shape)


def leaves(x):
    if isinstance(x, torch.Tensor):
        return [x]
    if isinstance(x, dict):
        x = x.values()
    return [leaf for part in x for leaf in leaves(part)] if isinstance(x, (list, tuple, type({}.values()))) else []


def weighted(tensors, step):
    return sum(((x * pattern(x.shape, x.dtype, step)).sum() for x in tensors), torch.zeros(()))


def derivative(total, inputs):
    if not total.requires_grad:
        return [torch.zeros_like(x) for x in inputs]
    found = torch.autograd.grad(total, inputs, create_graph=True, allow_unused=True)
    return [torch.zeros_like(x) if g is None or g._is_zerotensor() else g for x, g in zip(inputs, found)]


def row(op, function, args, order=2, trap=None):
    """One row; `order` is that of the highest derivative wanted."""
    inputs = [x for x in leaves(args) if x.is_floating_point()]
    for x in inputs:
        x.requires_grad_(order > 0)
    *positional, options = args if args and isinstance(args[-1], dict) else [*args, {}]
    out = function(*positional, **{snake(k): v for k, v in options.items()})
    if type(out).__module__ == "torch.return_types":
        out = {name: getattr(out, name) for name in NAMES if hasattr(out, name)}
    shown = encode(out)
    if op in INDEX:
        for leaf in leaves_of(shown):
            if leaf["t"] == "int64":
                leaf["t"] = "int32"
    made = {"op": op, **({"trap": trap} if trap else {}), "args": encode(args), "out": shown}
    results = [x for x in leaves(out) if x.is_floating_point()]
    if order > 0 and inputs and any(x.requires_grad for x in results):
        first = derivative(weighted([x for x in results if x.requires_grad], 7), inputs)
        made["first"] = [encode(g)["v"] for g in first]
        if order > 1:
            second = derivative(weighted([g for g in first if g.requires_grad], 5), inputs)
            made["second"] = [encode(g)["v"] for g in second]
    return made


def leaves_of(shown):
    if isinstance(shown, dict) and "t" in shown:
        return [shown]
    parts = shown.values() if isinstance(shown, dict) else shown
    return [leaf for part in parts for leaf in leaves_of(part)]
