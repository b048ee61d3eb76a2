"""Writes index-golden.json: what PyTorch makes of x[...], of its gradient and of x[...] = value, for every index of up to
four entries of nine kinds into four dimensions. A tensor stands there as its shape and a checksum that knows the order.

Run with a Python that has PyTorch:  python index-golden.py
"""

import itertools
import json
import pathlib

import torch

SHAPE = (4, 5, 4, 5)
PRIME = 1000003
x = (torch.arange(400) * 7919 % 10007).reshape(SHAPE).double()


def checksum(t):
    return int((t.reshape(-1) * (torch.arange(t.numel()) + 1)).sum().item()) % PRIME


def entry(kind, dim):
    """Keep in step with index.test.ts."""
    if kind == "n":
        return -2
    if kind == "0":
        return torch.tensor(1)
    if kind == ":":
        return slice(1, None, 2)
    if kind == "+":
        return None
    if kind == ".":
        return ...
    if kind == "l":
        return [2, -4]
    if kind == "t":
        return torch.tensor([[0, 2], [1, -1]])
    if kind == "m":
        return torch.tensor([i in (1, 3) for i in range(SHAPE[dim])])
    mask = torch.zeros(SHAPE[dim : dim + 2], dtype=torch.bool)
    mask[1, 2] = mask[3, 0] = True
    return mask


KINDS = "n0:+.ltmM"
TAKES = {"+": 0, ".": 0, "M": 2}
rows = []
for length in range(1, 5):
    for kinds in itertools.product(KINDS, repeat=length):
        used = sum(TAKES.get(kind, 1) for kind in kinds)
        if used > 4 or kinds.count(".") > 1:
            continue
        dim, index = 0, []
        for kind in kinds:
            index.append(entry(kind, dim))
            dim += 4 - used if kind == "." else TAKES.get(kind, 1)
        index = tuple(index)
        leaf = x.clone().requires_grad_()
        part = leaf[index]
        weights = (torch.arange(part.numel()) * 31 % 1009 + 1).reshape(part.shape).double()
        (part * weights).sum().backward()
        put = x.clone()
        put[index] = weights
        rows.append(["".join(kinds), list(part.shape), checksum(part.detach()), checksum(leaf.grad), checksum(put)])

path = pathlib.Path(__file__).with_name("index-golden.json")
path.write_text("[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]\n")
