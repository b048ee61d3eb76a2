"""What transforms close over, by PyTorch: writes closed-over.json beside this file.

Each case gives tensors made by transforms of functions of x that close over w. Their weighted sum is differentiated by w.
"""
import json
from pathlib import Path

import torch
from torch.func import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, vjp, vmap

torch.set_default_dtype(torch.float64)

X = [0.7, -1.2]
V = [0.3, 0.5]


def loss(w, x):
    return (torch.sin(w * x) * x**2).sum() + w[0] * x[1] ** 3 * x[0]


def vector(w, x):
    return torch.tanh(w * x + x.flip(0)) * w[0]


def square(w):
    return w**2 + w.flip(0)


x, v = torch.tensor(X), torch.tensor(V)
xs = torch.stack([x, v, x * v])


def value_and_grad(f, at):
    slope, value = grad_and_value(f)(at)
    return [value, slope]


def pulled(f, at, cotangent):
    value, pull = vjp(f, at)
    return [value, pull(cotangent)[0]]


def hvp(f, at, along):
    return [f(at), jvp(grad(f), (at,), (along,))[1]]


def without_graph(f):
    with torch.no_grad():
        return f()


cases = {
    "grad": lambda w: [grad(lambda x: loss(w, x))(x)],
    "valueAndGrad": lambda w: value_and_grad(lambda x: loss(w, x), x),
    "vjp": lambda w: pulled(lambda x: vector(w, x), x, v),
    "vjp along w": lambda w: pulled(lambda x: x.sin(), x, w),
    "jvp": lambda w: jvp(lambda x: vector(w, x), (x,), (v,)),
    "jvp along w": lambda w: jvp(lambda x: x.sin(), (x,), (w,)),
    "hvp": lambda w: hvp(lambda x: loss(w, x), x, v),
    "hvp along w": lambda w: hvp(lambda x: x.sin().sum(), x, w),
    "jacrev": lambda w: [jacrev(lambda x: vector(w, x))(x)],
    "jacfwd": lambda w: [jacfwd(lambda x: vector(w, x))(x)],
    "jacobian": lambda w: [jacrev(lambda x: vector(w, x))(x)],
    "hessian": lambda w: [hessian(lambda x: loss(w, x))(x)],
    "by w itself": lambda w: value_and_grad(lambda x: loss(w, x), w),
    "what was computed before": lambda w: (lambda h: value_and_grad(lambda x: loss(h, x), x))(square(w)),
    "what was computed inside": lambda w: value_and_grad(lambda x: loss(square(w), x), x),
    "vmap of grad": lambda w: [vmap(grad(lambda x: loss(w, x)))(xs)],
    "vmap of grad, each its own": lambda w: [vmap(lambda x, u: grad(lambda x: loss(u, x))(x))(xs, xs * w)],
    "vmap of grad, each its own by itself": lambda w: [vmap(lambda u: grad(lambda x: loss(u, x))(u))(xs * w)],
    "vmap of vmap of grad": lambda w: [
        vmap(lambda u: vmap(lambda x: grad(lambda x: loss(u * w, x))(x))(xs))(torch.stack([w, v]))
    ],
    "vmap of jvp": lambda w: [vmap(lambda x: jvp(lambda x: vector(w, x), (x,), (v,))[1])(xs)],
    "vmap of jacrev": lambda w: [vmap(jacrev(lambda x: vector(w, x)))(xs)],
    "vmap of hessian": lambda w: [vmap(hessian(lambda x: loss(w, x)))(xs)],
    "grad of vmap": lambda w: [grad(lambda x: vmap(lambda y: (w * y * x).sin().sum())(xs).sum())(x)],
    "grad of vmap of grad": lambda w: [grad(lambda x: vmap(grad(lambda y: loss(w * x, y)))(xs).sin().sum())(x)],
    "grad of grad": lambda w: [grad(lambda x: grad(lambda x: loss(w, x))(x).sin().sum())(x)],
    "grad of grad, w inside": lambda w: [grad(lambda x: grad(lambda y: loss(w, y * x))(v).sin().sum())(x)],
    "grad of grad, w outside": lambda w: [grad(lambda x: (grad(lambda y: (y * x).sin().sum())(x) * w).sum())(x)],
    "grad of grad, which is constant": lambda w: [grad(lambda x: (grad(lambda y: loss(w, y))(v) * x).sum())(x)],
    "grad of grad of grad": lambda w: [
        grad(lambda x: grad(lambda x: grad(lambda x: loss(w, x))(x).sin().sum())(x).cos().sum())(x)
    ],
    "grad of jvp": lambda w: [grad(lambda x: jvp(lambda x: loss(w, x), (x,), (v,))[1])(x)],
    "jvp of grad": lambda w: jvp(grad(lambda x: loss(w, x)), (x,), (v,)),
    "jvp of jvp": lambda w: jvp(lambda x: jvp(lambda x: vector(w, x), (x,), (v,))[1], (x,), (w,)),
    "jacfwd of jacrev": lambda w: [jacfwd(jacrev(lambda x: vector(w, x)))(x)],
    "jacrev of jacfwd": lambda w: [jacrev(jacfwd(lambda x: vector(w, x)))(x)],
    "hessian of a sum of grad": lambda w: [hessian(lambda x: grad(lambda x: loss(w, x))(x).sum())(x)],
    "hessian of hvp": lambda w: [hessian(lambda x: hvp(lambda x: loss(w, x), x, v)[1].sum())(x)],
    "vjp in vmap": lambda w: [vmap(lambda c: vjp(lambda x: vector(w, x), x)[1](c)[0])(xs)],
    "noGrad inside grad": lambda w: [
        grad(lambda x: (without_graph(lambda: grad(lambda x: loss(w, x))(x)) * x * w).sum())(x)
    ],
    "aux": lambda w: (lambda slope, aux: [slope, aux])(
        *grad(lambda x: (loss(w, x), x * w), has_aux=True)(x)
    ),
    "aux alone": lambda w: (lambda slope, aux: [slope, aux])(
        *grad(lambda x: ((x.sin().exp()).sum(), x.sin().exp() * w), has_aux=True)(x)
    ),
}


def weighted(outputs):
    return sum((torch.cos(torch.arange(o.numel()) + k) * o.flatten()).sum() for k, o in enumerate(outputs))


def run(case):
    w = torch.tensor([0.4, 1.1], requires_grad=True)
    outputs = case(w)
    assert w.grad is None
    weighted(outputs).backward()
    return {"outputs": [o.flatten().tolist() for o in outputs], "byW": w.grad.tolist()}


def numbers(shape, k):
    n = torch.Size(shape).numel()
    return torch.sin(torch.arange(n) * 1.7 + k).reshape(shape) * 0.8


def block(x, p):
    y = torch.nn.functional.layer_norm(x, (4,), p["gain"], p["shift"])
    q, k, v = (y @ p["qkv"]).chunk(3, -1)
    # In plain ops: PyTorch's kernel has no second derivative.
    scores = (q @ k.mT / 2).masked_fill(torch.ones(3, 3).triu(1) == 1, -torch.inf)
    x = x + scores.softmax(-1) @ v @ p["out"]
    y = torch.nn.functional.rms_norm(x, (4,), p["scale"], eps=1e-5)
    return x + torch.nn.functional.gelu(y @ p["up"]) @ p["down"]


def network(x, p):
    y = block(x, p)
    # In plain ops: PyTorch 2.15 takes the moments for constants in the third derivative of its batch_norm.
    centred = y - y.mean((0, 1))
    y = centred * (centred.square().mean((0, 1)) + 1e-5).rsqrt() * p["weight"] + p["bias"]
    y = y.transpose(1, 2)
    return torch.nn.functional.cross_entropy(y, torch.tensor([[0, 3, 1], [2, 2, 0]]))


shapes = {
    "gain": [4], "shift": [4], "qkv": [4, 12], "out": [4, 4], "scale": [4],
    "up": [4, 8], "down": [8, 4], "weight": [4], "bias": [4],
}  # fmt: skip


def fused(transform):
    p = {name: numbers(shape, k).requires_grad_() for k, (name, shape) in enumerate(shapes.items())}
    x = numbers([2, 3, 4], 11)
    outputs = transform(lambda x: network(x, p), x)
    weighted(outputs).backward()
    return {"outputs": [o.flatten().tolist() for o in outputs], "by": {n: w.grad.flatten().tolist() for n, w in p.items()}}


direction = numbers([2, 3, 4], 12)
networks = {
    "grad": lambda f, x: [grad(f)(x)],
    "valueAndGrad": value_and_grad,
    "hvp": lambda f, x: hvp(f, x, direction),
    "grad of grad": lambda f, x: [grad(lambda x: grad(f)(x).sin().sum())(x)],
}

result = {
    "cases": {name: run(case) for name, case in cases.items()},
    "networks": {name: fused(transform) for name, transform in networks.items()},
}
Path(__file__).with_suffix(".json").write_text(json.dumps(result) + "\n")
