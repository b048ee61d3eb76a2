"""Writes golden.json: what PyTorch makes of every op, and the gradients, in float64 unless a case says otherwise.

Run with a Python that has PyTorch:  python golden.py
"""

import json
import pathlib

import torch
import torch.nn.functional as F
from encode import row, snake
from torch.nn.attention import SDPBackend, sdpa_kernel

L = torch.linalg
inf, nan = float("inf"), float("nan")
state = 1
rows = []


def draw(shape, low=-2.0, high=2.0, dtype=torch.float64):
    """Numbers of three decimals, the same in every run; a shape written as a string is a transposed tensor."""
    global state
    strided = isinstance(shape, str)
    shape = [int(n) for n in shape.split()] if strided else list(shape)
    n = 1
    for size in shape:
        n *= size
    values = []
    for _ in range(n):
        state = (state * 1664525 + 1013904223) % 2**32
        values.append(round(low + (high - low) * state / 2**32, 3))
    x = torch.tensor(values, dtype=dtype).reshape(shape)
    return x.permute(*range(len(shape) - 1, -1, -1)).contiguous().permute(*range(len(shape) - 1, -1, -1)) if strided else x


def ints(values, dtype=torch.int32):
    return torch.tensor(values, dtype=dtype)


def of(values, dtype=torch.float64):
    return torch.tensor(values, dtype=dtype)


def case(op, *args, by=None, order=2):
    rows.append(row(op, by or getattr(torch, snake(op)), list(args), order))


def trap(name, function, *args, order=2):
    rows.append(row("", function, list(args), order, trap=name))


SHAPES = [(), (5,), "3 4", (0, 3)]
PAIRS = [((), ()), ((3, 4), (3, 4)), ("3 4", (4,)), ((2, 1, 3), (4, 1)), ((0, 3), (1, 3))]


def elementwise():
    real, positive, unit = (-2, 2), (0.2, 3), (-0.9, 0.9)
    domains = {
        "neg abs sign exp expm1 square sin cos tan atan sinh cosh tanh asinh sigmoid erf floor ceil round trunc": real,
        "log log2 log10 sqrt rsqrt reciprocal lgamma digamma": positive,
        "log1p asin acos atanh erfinv": unit,
        "acosh": (1.1, 4),
    }
    for names, (low, high) in domains.items():
        for name in names.split():
            for shape in SHAPES:
                case(name, draw(shape, low, high))
            case(name, draw((6,), low, high, torch.float32), order=0)
    for name in "relu silu mish gelu softplus elu".split() + ["logSigmoid", "leakyRelu"]:
        by = {"logSigmoid": F.logsigmoid}.get(name) or getattr(F, snake(name))
        for shape in SHAPES:
            case(name, draw(shape), by=by)
        case(name, draw((6,), -9, 9, torch.float32), by=by, order=0)
    case("elu", draw((5,)), {"alpha": 0.7}, by=F.elu)
    case("gelu", draw((5,)), {"approximate": "tanh"}, by=F.gelu)
    case("softplus", draw((5,)), {"beta": 2.5}, by=F.softplus)
    case("leakyRelu", draw((5,)), 0.2, by=F.leaky_relu)
    for name in "neg abs sign square".split():
        case(name, ints([-3, 0, 5]))
    for name in "exp sqrt sin sigmoid".split():
        case(name, ints([0, 1, 4]))
    for name in "add sub mul div maximum minimum atan2 logaddexp remainder pow".split():
        low = 0.3 if name == "pow" else -2
        for a, b in PAIRS:
            case(name, draw(a, low), draw(b, low))
        case(name, draw((6,), low, 2, torch.float32), draw((6,), low, 2, torch.float32), order=0)
        if name not in ("logaddexp", "atan2"):
            case(name, ints([7, -7, 3]), ints([2, 2, 3]) if name != "pow" else ints([2, 3, 0]))
        case(name, draw((3,), low), draw((3,), low, 2, torch.float32), order=0)
    for name in "add mul maximum".split():
        case(name, ints([1, 2], torch.uint8), ints([3, 4], torch.int64))
    for name in "add mul".split():
        # Truth values are numbers here, and become int64 where PyTorch keeps bool.
        by = lambda a, b, name=name: getattr(torch, name)(a.long(), b.long())
        case(name, of([True, False], torch.bool), of([True, True], torch.bool), by=by)
    case("add", draw((3,)), 2)
    case("remainder", ints([7, -7, 7, -7]), ints([3, 3, -3, -3]))
    for name in "eq ne lt le gt ge".split():
        for a, b in PAIRS:
            case(name, draw(a).round(), draw(b).round(), order=0)
        case(name, ints([1, 2, 3]), ints([3, 2, 1], torch.int64))
        case(name, of([nan, inf, -inf, nan]), of([nan, inf, inf, 1.0]), order=0)
    for name in "logicalAnd logicalOr".split():
        case(name, of([True, False, True], torch.bool), of([True, False, False], torch.bool))
        case(name, ints([[0, 2], [3, 0]]), ints([1, 0]))
        case(name, of(0.0), of(nan), order=0)
    case("logicalNot", of([True, False], torch.bool))
    case("logicalNot", ints([[0, 2]]))
    case("logicalNot", of(0.0), order=0)
    for name in "isnan isfinite isinf".split():
        case(name, of([nan, inf, -inf, 1.0]), order=0)
        case(name, of(nan), order=0)
        case(name, ints([[1, 2]]))
    for shape in SHAPES:
        case("nanToNum", draw(shape))
        case("clamp", draw(shape), {"min": -0.5, "max": 1})
        case("lerp", draw(shape), draw(shape), draw(shape))
        case("clone", draw(shape))
        case("contiguous", draw(shape), by=torch.Tensor.contiguous)
        case("detach", draw(shape), order=0)
        case("stopGradient", draw(shape), by=torch.detach, order=0)
    case("nanToNum", of([nan, inf, -inf, 2.0]), {"nan": 1.5, "posinf": 9.0, "neginf": -9.0})
    case("nanToNum", of([nan, inf, -inf, 2.0], torch.float32), order=0)
    case("clamp", draw((3, 4)), {"min": draw((4,), -1, 0), "max": draw((3, 1), 0, 1)})
    case("clamp", ints([-3, 0, 9]), {"min": -1, "max": 4})
    case("lerp", draw((3, 4)), draw((4,)), draw((3, 1)))
    flags = of([True, False, True], torch.bool)
    case("where", flags, draw((3,)), draw((3,)))
    case("where", flags, draw((2, 3)), draw((2, 1)))
    case("where", of(True, torch.bool), draw(()), draw("3 2"))
    case("where", flags, ints([1, 2, 3]), ints([4, 5, 6], torch.int64))
    for source, target in [("float64", "float32"), ("float32", "int32"), ("int32", "float64"), ("float64", "bool"), ("int64", "uint8")]:
        values = of([0.0, 1.5, -2.25, 3.0]) if target != "uint8" else of([0, 255, 256, -1])
        case("to", values.to(getattr(torch, source)), target, by=lambda x, d: x.to(getattr(torch, d)), order=0)


def reductions():
    options = [(), (-1,), (0, {"keepdim": True})]
    for name in "sum mean prod amax amin logsumexp var std".split():
        by = getattr(torch, name)
        whole = (lambda x: torch.logsumexp(x, list(range(x.ndim)))) if name == "logsumexp" else by
        case(name, draw("3 4"), by=whole)
        for extra in options[1:]:
            case(name, draw("3 4"), *extra, by=by)
            case(name, draw((2, 3, 2)), *extra, by=by)
        if name not in ("var", "std"):
            case(name, draw(()), by=whole)
        if name != "prod":
            case(name, draw((2, 3, 2)), [0, -1], by=by)
            case(name, draw((2, 3, 2)), [-2, 0], {"keepdim": True}, by=by)
        case(name, draw((4, 3), dtype=torch.float32), 0, by=by, order=0)
        if name not in ("amax", "amin", "var", "std"):
            case(name, draw((0, 3)), 0, by=by)
            case(name, draw((0, 3)), 1, by=by)
    for op, by in (("var", torch.var), ("std", torch.std)):
        case(op, draw((3, 4)), 1, {"correction": 0}, by=by)
    for name in "sum prod".split():
        case(name, ints([[1, 2], [3, 4]]), 0)
        case(name, of([[True, False], [True, True]], torch.bool), 1)
        case(name, ints([200, 100], torch.uint8), 0)
    for name in "amax amin".split():
        case(name, ints([[1, 5], [3, 4]]), 0)
    for name in "all any".split():
        for extra in options:
            case(name, of([[True, False, True], [True, True, True]], torch.bool), *extra)
        case(name, ints([0, 3]))
        case(name, draw((0, 2)), 0, order=0)
        case(name, of(0.0), order=0)
    for name in "argmax argmin".split():
        for extra in options:
            case(name, draw("3 4"), *extra, order=0)
        case(name, draw(()), order=0)
        case(name, ints([3, 9, 1]), 0)
        case(name, of([1.0, nan, 5.0]), order=0)
    for name in "max min median".split():
        case(name, draw("3 5"))
        case(name, draw("3 5"), 0)
        case(name, draw((2, 3, 3)), -1, {"keepdim": True})
        case(name, draw(()), 0)
        case(name, ints([3, 9, 1]), 0)
        case(name, of([1.0, nan, 5.0]), order=0)
    for q in (0.3, [0.0, 0.25, 1.0]):
        by = lambda x, q, *a, **k: torch.quantile(x, torch.tensor(q, dtype=x.dtype), *a, **k)
        case("quantile", draw((3, 4)), q, by=by)
        case("quantile", draw("3 5"), q, 1, by=by)
        case("quantile", draw((2, 3, 3)), q, -2, {"keepdim": True, "interpolation": "nearest"}, by=by)
        case("quantile", draw((4,)), q, 0, {"interpolation": "midpoint"}, by=by)
    for order in (1, 2, 3, 0, inf, -inf, 0.5):
        case("norm", draw((5,)), {"ord": order}, by=lambda x, ord: L.vector_norm(x, ord))
        case("norm", draw("3 4"), {"ord": order, "dim": -1, "keepdim": True}, by=lambda x, ord, dim, keepdim: L.vector_norm(x, ord, dim, keepdim))
    case("norm", draw(()), by=L.vector_norm)
    case("norm", draw((2, 3, 2)), [0, 2], by=lambda x, d: L.vector_norm(x, 2, d))
    for name in "cumsum cumprod".split():
        for shape, dim in (((5,), 0), ("3 4", -1), ((2, 3, 2), 1), ((0, 3), 0), ((), 0)):
            case(name, draw(shape), dim)
        case(name, ints([1, 2, 3]), 0)
        case(name, draw((6,), dtype=torch.float32), 0, order=0)
    for name in "softmax logSoftmax".split():
        for shape, dim in (((5,), 0), ("3 4", -1), ((2, 3, 2), 1), ((0, 3), 0), ((), 0)):
            case(name, draw(shape), dim)
        case(name, draw((6,), -30, 30, torch.float32), 0, order=0)


def sorting_and_indices():
    for shape, dim in (((6,), 0), ("3 4", -1), ((2, 3, 2), 1), ((0, 3), 0), ((), 0)):
        case("sort", draw(shape), dim)
        case("argsort", draw(shape), dim, order=0)
        case("sort", draw(shape), dim, {"descending": True})
    case("sort", of([2.0, nan, -inf, inf]), order=0)
    case("argsort", ints([3, 1, 2]), {"descending": True})
    for shape, k, dim in (((6,), 2, 0), ("3 4", 3, -1), ((2, 3, 2), 1, 1)):
        case("topk", draw(shape), k, dim)
        case("topk", draw(shape), k, dim, {"largest": False})
    case("searchsorted", of([1.0, 3.0, 5.0]), of([0.0, 3.0, 9.0]), order=0)
    case("searchsorted", of([1.0, 3.0, 5.0]), of([[0.0, 3.0], [4.0, 5.0]]), {"right": True}, order=0)
    case("searchsorted", of([[1.0, 3.0], [2.0, 4.0]]), of([[3.0], [3.0]]), order=0)
    case("searchsorted", ints([1, 3, 5]), ints([3]))

    def unique(x):
        values, inverse, counts = torch.unique(x, return_inverse=True, return_counts=True)
        return {"values": values, "inverse": inverse.int(), "counts": counts}

    for x in (ints([3, 1, 3, 2]), ints([[5, 5], [1, 5]]), of([0.5, -1.0, 0.5]), ints([], torch.int64)):
        case("unique", x, by=unique, order=0)
    for x in (draw((3, 2)).round(), ints([0, 1, 2]), of(2.0), of([[True, False]], torch.bool), draw((0, 2))):
        case("nonzero", x, order=0)
    case("bincount", ints([1, 3, 1]))
    case("bincount", ints([1, 0], torch.int64), {"minlength": 5})
    case("bincount", ints([1, 2, 1]), {"weights": draw((3,))}, order=0)
    case("bincount", ints([]))
    index = ints([[0, 2, 1], [1, 1, 0]], torch.int64)
    for dim, where in ((0, index), (-1, index), (1, index[:, :2])):
        case("gather", draw((3, 3)), dim, where)
        case("scatterAdd", draw((3, 3)), dim, where, draw(tuple(where.shape)))
    for dim, where in ((0, [[0, 2, 1], [1, 0, 0]]), (1, [[0, 2, 1]]), (-1, [[2], [0]])):
        case("scatter", draw((3, 3)), dim, ints(where, torch.int64), draw((len(where), len(where[0]))))
    for dim, shape in ((0, (3,)), (1, "2 3"), (-2, (2, 3, 2)), (0, (3, 0))):
        at = ints([2, 0, 2])
        case("indexSelect", draw(shape), dim, at)
        source = list(draw(shape).shape)
        case("indexAdd", draw(shape), dim, at, draw(source))
    case("take", draw((3, 2)), ints([5, 0, 0], torch.int64))
    case("take", draw("3 2"), ints([[1], [-1]], torch.int64))
    case("take", draw((4,)), ints(2, torch.int64))
    put = lambda x, indices, value, accumulate=False: x.index_put(tuple(i.long() for i in indices), torch.as_tensor(value, dtype=x.dtype), accumulate)
    case("indexPut", draw((4,)), [ints([1, 3])], draw((2,)), by=put)
    case("indexPut", draw((4,)), [ints([1, 1, 0])], draw((3,)), {"accumulate": True}, by=put)
    case("indexPut", draw((3, 3)), [ints([0, 2]), ints([1, 1])], 5.5, by=put)
    case("indexPut", draw("3 2"), [ints([2, 0])], draw((2, 2)), by=put)
    mask = of([[True, False, True], [False, False, True]], torch.bool)
    case("maskedFill", draw((2, 3)), mask, 1.5)
    case("maskedFill", draw("2 3"), mask[0], draw(()))
    case("maskedFill", ints([1, 2, 3]), mask[0], 7)
    case("maskedSelect", draw((2, 3)), mask)
    case("maskedSelect", draw("2 3"), mask[0])
    case("maskedSelect", draw((2, 1)), mask)
    hot = lambda x, num_classes=-1: F.one_hot(x, num_classes)
    case("oneHot", ints([0, 2, 1], torch.int64), by=hot)
    case("oneHot", ints([[1], [0]], torch.int64), {"numClasses": 4}, by=hot)
    case("oneHot", ints(1, torch.int64), by=hot)
    case("embedding", ints([2, 0, 2]), draw((3, 4)), by=F.embedding)
    case("embedding", ints([[1, 2]], torch.int64), draw((3, 2)), {"paddingIdx": 1}, by=F.embedding)
    case("embedding", ints(1), draw((3, 2)), by=F.embedding)
    for k in (0, 1, -1):
        case("tril", draw((3, 4)), {"diagonal": k})
        case("triu", draw((2, 3, 3)), {"diagonal": k})
        case("diag", draw((3,)), {"diagonal": k})
        case("diag", draw("3 4"), {"diagonal": k})
        case("diagonal", draw((3, 4)), {"offset": k})
        case("diagonal", draw((2, 3, 3)), {"offset": k, "dim1": -1, "dim2": 0})
    for shape in ((3, 3), "3 4", (2, 5)):
        case("trace", draw(shape))


def movement():
    T = torch.Tensor
    for shape, target in (((3, 4), [2, -1]), ("3 4", [12]), ((), [1, 1]), ((0, 3), [3, 0])):
        case("reshape", draw(shape), target)
        if shape != "3 4":
            case("view", draw(shape), target, by=T.view)
    for shape, dims in (((3, 4), [1, 0]), ("2 3 2", [-1, 0, 1]), ((), [])):
        case("permute", draw(shape), dims)
    for shape, a, b in (((3, 4), 0, 1), ((2, 3, 2), -1, 0), ((0, 3), 0, 1)):
        case("transpose", draw(shape), a, b)
        case("movedim", draw(shape), a, b)
    case("movedim", draw((2, 3, 1)), [0, 1], [-1, 0])
    for shape in ((3, 4), (3,), (), "2 3"):
        case("t", draw(shape))
        case("unsqueeze", draw(shape), -1)
        case("flatten", draw(shape))
    case("flatten", draw((2, 3, 2)), 1, -1)
    for shape, dim in (((1, 3, 1), 0), ((1, 3, 1), -1), ((2, 3), 0)):
        case("squeeze", draw(shape), dim)
    case("squeeze", draw((1, 3, 1)))
    for shape, target in (((3, 1), [3, 4]), ((3,), [2, 3]), ((), [2, 2]), ((1, 3), [0, 3])):
        case("expand", draw(shape), target, by=lambda x, s: x.expand(s))
        case("broadcastTo", draw(shape), target)
        case("sumToSize", draw(target), list(draw(shape).shape), by=lambda x, s: x.sum_to_size(s))
    case("expand", draw((2, 1)), [-1, 3], by=lambda x, s: x.expand(s))
    for a, b, dim in (((2, 3), (1, 3), 0), ("2 3", (2, 2), -1), ((0, 3), (2, 3), 0), ((3,), (2,), 0)):
        case("cat", [draw(a), draw(b)], dim)
    case("cat", [ints([1]), ints([2], torch.int64)], 0)
    for shape, dim in (((), 0), ((3,), -1), ("2 3", 1)):
        case("stack", [draw(shape), draw(shape)], dim)
    for shape, size, dim in (((5,), 2, 0), ("3 4", [1, 3], -1), ((0, 3), 2, 0)):
        case("split", draw(shape), size, dim)
    for shape, count, dim in (((5,), 2, 0), ("3 4", 3, -1), ((2, 3), 2, 0)):
        case("chunk", draw(shape), count, dim)
        case("unbind", draw(shape), dim)
    for shape, dim, start, n in (((5,), 0, 1, 3), ("3 4", -1, 2, 2), ((2, 3), 0, 0, 0)):
        case("narrow", draw(shape), dim, start, n)
    for shape, dims in (((5,), [0]), ("3 4", [0, -1]), ((0, 3), [1])):
        case("flip", draw(shape), dims)
    for shape, widths in (((3,), [1, 2]), ("2 3", [1, 0, 0, 2]), ((2, 3), [-1, 1])):
        case("pad", draw(shape), widths, by=F.pad)
        case("pad", draw(shape), widths, {"value": 1.5}, by=F.pad)
    for mode in ("reflect", "replicate", "circular"):
        case("pad", draw((1, 2, 4)), [2, 1], {"mode": mode}, by=F.pad)
    for shape, shifts, dims in (((5,), 2, 0), ("3 4", [1, -1], [0, 1]), ((2, 3), -4, -1)):
        case("roll", draw(shape), shifts, dims)
    case("roll", draw((2, 3)), 2)
    for shape, times in (((3,), [2]), ("2 3", [1, 2]), ((2,), [2, 2]), ((), [3])):
        case("tile", draw(shape), times)
        case("repeat", draw(shape), times, by=lambda x, s: x.repeat(s))
    for shape, times, dim in (((3,), 2, 0), ("2 3", ints([1, 0, 2]), -1), ((2, 1), 3, 0)):
        case("repeatInterleave", draw(shape), times, dim)
    case("meshgrid", [draw((2,)), draw((3,))], by=lambda xs: torch.meshgrid(*xs, indexing="ij"))
    case("meshgrid", [draw((2,)), draw((3,))], {"indexing": "xy"}, by=lambda xs, indexing: torch.meshgrid(*xs, indexing=indexing))
    case("meshgrid", [draw((2,))], by=lambda xs: torch.meshgrid(*xs, indexing="ij"))
    case("at", draw((3, 4)), "1", by=lambda x, s: x[1])
    case("at", draw("3 4"), "::2, 1:3", by=lambda x, s: x[::2, 1:3])
    case("at", draw((2, 3, 2)), "..., -1", by=lambda x, s: x[..., -1])
    case("at", draw((3, 4)), ints([2, 0, 2]), by=lambda x, i: x[i.long()])
    case("at", draw((3, 4)), ints([2, 0]), ints([1, 1]), by=lambda x, i, j: x[i.long(), j.long()])
    case("at", draw((3,)), of([True, False, True], torch.bool), by=lambda x, m: x[m])
    case("at", draw((3,)), None, by=lambda x, n: x[None])


def creation():
    f32 = torch.float32
    for shape in ([], [2, 3], [0, 2]):
        case("zeros", shape, by=lambda s: torch.zeros(s, dtype=f32))
        case("ones", shape, by=lambda s: torch.ones(s, dtype=f32))
        case("full", shape, 2.5, by=lambda s, v: torch.full(s, v, dtype=f32))
        for name, more in (("zerosLike", []), ("onesLike", []), ("fullLike", [3])):
            case(name, draw(shape), *more, order=0)
        case("tensor", draw(shape, dtype=f32).tolist() if shape != [0, 2] else [[], []], by=lambda v: torch.tensor(v, dtype=f32))
    for value in (2.5, -3, True):
        case("scalar", value, by=lambda v: torch.tensor(v, dtype=torch.bool if v is True else f32))
    for a in ([5], [2, 7], [0, 1, 0.25], [5, 0, -2], [3, 3]):
        case("arange", *a, by=lambda *a: torch.arange(*a, dtype=f32 if 0.25 in a else torch.int32))
    for a in ([0, 1, 5], [3, -3, 4], [2, 9, 1], [0, 1, 0]):
        case("linspace", *a, by=lambda *a: torch.linspace(*a, dtype=f32))
    for a in ([3], [2, 4], [0]):
        case("eye", *a, by=lambda *a: torch.eye(*a, dtype=f32))


def algebra():
    for a, b in (((3, 4), (4, 2)), ("3 4", "4 2"), ((4,), (4,)), ((2, 3, 4), (4,)), ((4,), (2, 4, 3)), ((2, 1, 3, 4), (3, 4, 2)), ((3, 0), (0, 2))):
        case("matmul", draw(a), draw(b))
    case("matmul", draw((3, 5), dtype=torch.float32), draw((5, 2), dtype=torch.float32), order=0)
    for a, b in (((2, 3, 4), (2, 4, 2)), ("1 3 2", "1 2 3"), ((0, 2, 3), (0, 3, 2))):
        case("bmm", draw(a), draw(b))
    for n, m in ((3, 4), (1, 2), (0, 2)):
        case("outer", draw((n,)), draw((m,)))
        case("dot", draw((n,)), draw((n,)))
    for equation, *shapes in (("ij,jk->ik", (2, 3), (3, 2)), ("bij,bjk->bik", (2, 2, 3), (2, 3, 2)), ("ii->i", (3, 3)), ("i,j,ij->", (2,), (3,), (2, 3)), ("...i,...i->...", (2, 3), (3,)), ("ij->ji", "2 3")):
        case("einsum", equation, *map(draw, shapes))
    for x, a, b in (((3, 2), (3, 4), (4, 2)), ((2,), (3, 4), (4, 2)), ((3, 1), (3, 4), (4, 2)), ((0, 2), (0, 4), (4, 2))):
        case("addmm", draw(x), draw(a), draw(b))
    for x, w, b in (((3, 4), (2, 4), (2,)), ((2, 3, 4), (2, 4), (2,)), ((4,), (2, 4), (2,)), ((0, 4), (2, 4), (2,))):
        case("linear", draw(x), draw(w), draw(b), by=F.linear)
        case("linear", draw(x), draw(w), draw(b), {"activation": "relu"}, by=lambda *args, activation: F.relu(F.linear(*args)))
    case("linear", draw("3 4"), draw((2, 4)), by=F.linear)

    def spd(shape):
        x = draw(shape)
        return x @ x.mT + 2 * torch.eye(x.shape[-1], dtype=x.dtype)

    def well(shape):
        x = draw(shape)
        return x + 4 * torch.eye(x.shape[-1], dtype=x.dtype)

    for shape in ((3, 3), (2, 2, 2), (1, 1)):
        case("cholesky", spd(shape), by=L.cholesky)
        case("det", well(shape), by=L.det)
        case("inv", well(shape), by=L.inv)
        case("slogdet", well(shape), by=L.slogdet)
        case("eigh", spd(shape), by=lambda x: {"values": L.eigvalsh(x)})
        case("solve", well(shape), draw((*shape[:-1], 2)), by=L.solve)
        case("pinv", well(shape), by=L.pinv)
        case("qr", well(shape), by=lambda x: dict(zip(("q", "r"), L.qr(x))))
        case("svd", draw(shape), by=lambda x: {"s": L.svdvals(x)})
        case("choleskySolve", draw((*shape[:-1], 2)), L.cholesky(spd(shape)).contiguous(), by=lambda b, l: torch.cholesky_solve(b, l.tril()), order=1)
        case("triangularSolve", well(shape).tril(), draw((*shape[:-1], 2)), {"upper": False}, by=L.solve_triangular)
        case("lstsq", torch.cat([well(shape), draw(shape)], -2), draw((*shape[:-2], 2 * shape[-1], 2)), by=lambda a, b: {"solution": L.lstsq(a, b).solution})
    case("svd", draw("4 2"), by=lambda x: {"s": L.svdvals(x)})
    case("solve", well((3, 3)), draw((3,)), by=L.solve)
    case("triangularSolve", well((3, 3)).triu(), draw((3, 2)), {"upper": True}, by=L.solve_triangular)
    case("cholesky", spd((3, 3)), {"upper": True}, by=L.cholesky)


def layers():
    for x, w, b, o in (((2, 3, 5), (4, 3, 2), (4,), {}), ((1, 4, 6), (4, 2, 3), (4,), {"stride": 2, "padding": 1, "groups": 2}), ((2, 6), (3, 2, 2), (3,), {"dilation": 2})):
        case("conv1d", draw(x), draw(w), draw(b), o, by=F.conv1d)
    for x, w, b, o in (((1, 2, 4, 4), (3, 2, 3, 2), (3,), {}), ((1, 2, 5, 4), (2, 1, 3, 3), (2,), {"stride": [2, 1], "padding": 1, "groups": 2}), ((2, 4, 4), (1, 2, 2, 2), (1,), {"dilation": 2})):
        case("conv2d", draw(x), draw(w), draw(b), o, by=F.conv2d)
    for x, w, b, o in (((1, 2, 3, 2), (2, 3, 2, 2), (3,), {}), ((1, 2, 3, 2), (2, 1, 3, 3), (2,), {"stride": 2, "padding": 1, "groups": 2, "outputPadding": 1}), ((2, 3, 2), (2, 1, 2, 2), (1,), {})):
        case("convTranspose2d", draw(x), draw(w), draw(b), o, by=F.conv_transpose2d)
    for shape, k, o in (((1, 2, 4, 5), 2, {}), ((2, 5, 4), [3, 2], {"stride": [2, 1], "padding": 1}), ((1, 1, 6, 6), 3, {"stride": 2})):
        case("maxPool2d", draw(shape), k, o, by=F.max_pool2d)
        case("avgPool2d", draw(shape), k, o, by=F.avg_pool2d)
        case("adaptiveAvgPool2d", draw(shape), k, by=F.adaptive_avg_pool2d)
    for shape, n in (((3, 4), [4]), ("3 4", [4]), ((2, 3, 2), [3, 2]), ((0, 3), [3])):
        case("layerNorm", draw(shape), n, {"weight": draw(n), "bias": draw(n)}, by=F.layer_norm)
        case("rmsNorm", draw(shape), n, {"weight": draw(n), "eps": 1e-5}, by=F.rms_norm)
    for shape, g in (((2, 4), 2), ((2, 4, 3), 4), ((1, 6, 2, 2), 3)):
        case("groupNorm", draw(shape), g, {"weight": draw((shape[1],)), "bias": draw((shape[1],))}, by=F.group_norm)
    for shape in ((4, 3), (2, 3, 2), (2, 3, 2, 2)):
        mean, var = draw((3,)), draw((3,), 0.5, 2)
        batch = lambda x, m, v, **o: F.batch_norm(x, m, v, **o)
        case("batchNorm", draw(shape), None, None, {"weight": draw((3,)), "bias": draw((3,)), "training": True}, by=batch)
        rows.append(row("batchNorm", batch, [draw(shape), mean, var, {"eps": 0.01}], 0))

    def attention(*tensors, **options):
        with sdpa_kernel(SDPBackend.MATH):  # the fused one has no second derivative
            return F.scaled_dot_product_attention(*tensors, **options)

    for q, k, v, o in (((2, 3, 4), (2, 5, 4), (2, 5, 3), {}), ((3, 2), (3, 2), (3, 2), {"isCausal": True}), ((1, 2, 3, 2), (1, 2, 4, 2), (1, 2, 4, 2), {"scale": 0.3})):
        case("scaledDotProductAttention", draw(q), draw(k), draw(v), o, by=attention)
    for how in ("mean", "sum", "none"):
        o = {"reduction": how}
        for shape in ((3, 4), "2 3", ()):
            case("mseLoss", draw(shape), draw(shape), o, by=F.mse_loss)
            case("l1Loss", draw(shape), draw(shape), o, by=F.l1_loss)
            case("huberLoss", draw(shape), draw(shape), {**o, "delta": 0.7}, by=F.huber_loss)
            case("binaryCrossEntropy", draw(shape, 0.1, 0.9), draw(shape, 0.1, 0.9), o, by=F.binary_cross_entropy, order=1)
            case("binaryCrossEntropyWithLogits", draw(shape), draw(shape, 0.1, 0.9), o, by=F.binary_cross_entropy_with_logits)
            case("klDiv", draw(shape), draw(shape, 0.1, 0.9), o, by=F.kl_div)
        target = ints([1, 0, 2], torch.int64)
        case("crossEntropy", draw((3, 4)), target, o, by=F.cross_entropy)
        case("crossEntropy", draw("3 4"), target, {**o, "labelSmoothing": 0.1, "ignoreIndex": 2}, by=F.cross_entropy)
        case("crossEntropy", draw((2, 3, 2)), ints([[0, 1], [2, 2]], torch.int64), o, by=F.cross_entropy)
        case("crossEntropy", draw((4,)), ints(3, torch.int64), o, by=F.cross_entropy)
        case("nllLoss", draw((3, 4)), target, o, by=F.nll_loss)
        case("nllLoss", draw((2, 3, 2)), ints([[0, 1], [2, 2]], torch.int64), {**o, "ignoreIndex": 0}, by=F.nll_loss)
        case("nllLoss", draw((4,)), ints(3, torch.int64), o, by=F.nll_loss)


def traps():
    ties = of([1.0, 3.0, 3.0, -2.0])
    for name in "abs relu sign sqrt".split():
        trap(f"{name} at 0", getattr(torch, name), of([0.0, 1.0]), order=1)
    trap("maximum at a tie", torch.maximum, of([1.0, 2.0]), of([1.0, 3.0]))
    trap("amax at a tie", lambda x: torch.amax(x, 0), ties)
    trap("max of all at a tie", torch.max, ties.clone())
    trap("clamp at its bounds", lambda x: x.clamp(-1, 1), of([-1.0, 0.0, 1.0, 2.0]))
    trap("pow at 0", torch.pow, of([0.0, 0.0, 0.0]), of([2.0, 1.0, 3.0]), order=1)
    trap("0 to the power 0", torch.pow, of([0.0]), of([0.0]), order=1)
    trap("square of 0 by pow", lambda x: x.pow(2), of([0.0, -2.0]))
    trap("norm at 0", lambda x: L.vector_norm(x), of([0.0, 0.0]), order=1)
    trap("norm of order 1 at 0", lambda x: L.vector_norm(x, 1), of([0.0, -2.0]), order=1)
    trap("prod with a zero", torch.prod, of([2.0, 0.0, 3.0]))
    trap("prod with two zeros", torch.prod, of([2.0, 0.0, 0.0]))
    trap("cumprod with a zero", lambda x: x.cumprod(0), of([2.0, 0.0, 3.0, 4.0]))
    trap("where with NaN in the branch not taken", lambda x: torch.where(x > 0, x.clamp(min=0.1).log(), x.exp()), of([-1.0, 2.0]))
    trap("logsumexp of -inf", lambda x: torch.logsumexp(x, 0), of([-inf, -inf]), order=1)
    trap("logsumexp with one -inf", lambda x: torch.logsumexp(x, 0), of([-inf, 1.0]), order=1)
    trap("logsumexp of inf", lambda x: torch.logsumexp(x, 0), of([inf, 1.0]), order=0)
    trap("std of one element", torch.std, of([3.0]), order=0)
    trap("std of equal elements", torch.std, of([3.0, 3.0]), order=1)
    trap("scatterAdd with repeated indices", lambda x, s: x.scatter_add(0, torch.tensor([1, 1, 1]), s), draw((3,)), draw((3,)))
    trap("gather with repeated indices", lambda x: x.gather(0, torch.tensor([1, 1, 0])), draw((3,)))
    trap("a tensor used twice", lambda x: x * x, draw((3,)))
    trap("a tensor minus itself", lambda x: x - x, draw((3,)))
    trap("matmul with itself", lambda x: x @ x, draw((3, 3)))
    trap("through expand", lambda x: x.expand(3, 2).square(), draw((2,)))
    trap("sum over an axis of size 0", lambda x: x.sum(0), draw((0, 3)))
    trap("mean of nothing", torch.mean, draw((0,)), order=0)
    trap("atan2 at the origin", torch.atan2, of([0.0, -0.0]), of([-0.0, -0.0]), order=0)
    trap("softmax of -inf beside numbers", lambda x: x.softmax(0), of([-inf, 1.0, 2.0]))
    trap("logaddexp of -inf twice", torch.logaddexp, of([-inf]), of([-inf]), order=0)
    trap("sigmoid far out", torch.sigmoid, of([-800.0, 800.0]), order=1)
    trap("softplus far out", F.softplus, of([-800.0, 800.0]), order=1)
    trap("huber at its kink", lambda x: F.huber_loss(x, torch.zeros_like(x), reduction="sum", delta=1.0), of([1.0, -1.0, 0.0]), order=1)


def main():
    for part in (elementwise, reductions, sorting_and_indices, movement, creation, algebra, layers, traps):
        part()
    path = pathlib.Path(__file__).with_name("golden.json")
    lines = ",\n".join(json.dumps(r, separators=(",", ":")) for r in rows)
    path.write_text(f'{{"torch":"{torch.__version__.split("+")[0]}","rows":[\n{lines}\n]}}\n')
    print(len(rows), path.stat().st_size)


main()
