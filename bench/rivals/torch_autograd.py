"""A loss as a function of all parameters: its value, its derivative along a direction, its gradient."""
import math

import torch
import torch.nn.functional as F
from inputs import labels, uniform

NETWORKS = {
    "mlp": ((784,), [("linear", 784, 512), ("relu",), ("linear", 512, 256), ("relu",), ("linear", 256, 10)]),
    "conv net": (
        (1, 28, 28),
        [
            ("conv", 1, 32),
            ("relu",),
            ("conv", 32, 64),
            ("relu",),
            ("pool",),
            ("flatten",),
            ("linear", 9216, 128),
            ("relu",),
            ("linear", 128, 10),
        ],
    ),
}


def parameters(layers):
    values, directions = [], []
    for i, (kind, inputs, outputs) in enumerate(layer for layer in layers if len(layer) > 1):
        window = (3, 3) if kind == "conv" else ()
        bound = 1 / math.sqrt(inputs * (9 if window else 1))
        for j, shape in enumerate([(outputs, inputs, *window), (outputs,)]):
            values.append(torch.from_numpy(uniform(shape, 10 + 2 * i + j, -bound, bound)))
            directions.append(torch.from_numpy(uniform(shape, 40 + 2 * i + j, -bound, bound)))
    return tuple(values), tuple(directions)


def derivative(spec):
    size, layers = NETWORKS[spec["network"]]
    values, directions = parameters(layers)
    x = torch.from_numpy(uniform((spec["batch"], *size), 3, 0.0, 1.0))
    y = torch.from_numpy(labels(spec["batch"], 10, 4))
    plain = {"relu": F.relu, "pool": lambda t: F.max_pool2d(t, 2), "flatten": lambda t: t.flatten(1)}
    sized = {"conv": F.conv2d, "linear": F.linear}

    def loss(*given):
        act, rest = x, iter(given)
        for layer in layers:
            act = sized[layer[0]](act, next(rest), next(rest)) if len(layer) > 1 else plain[layer[0]](act)
        return F.cross_entropy(act, y)

    leaves = tuple(value.clone().requires_grad_() for value in values)

    def function():
        with torch.no_grad():
            return (loss(*values),)

    def reverse():
        value = loss(*leaves)
        return value, torch.autograd.grad(value, leaves)

    if spec["mode"] == "function":
        return [function()[0].item()], function
    if spec["mode"] == "forward":
        step = lambda: torch.func.jvp(loss, values, directions)  # noqa: E731
        return [t.item() for t in step()], step
    value, gradients = reverse()
    return [value.item(), sum((g * d).sum().item() for g, d in zip(gradients, directions))], reverse
