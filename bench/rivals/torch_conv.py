"""Convolutions, pooling and batch norm, each way by itself; the step of a small convolutional network."""
import math

import torch
import torch.nn.functional as F
from inputs import labels, probe, uniform
from torch_autograd import NETWORKS


def tensor(shape, seed, low=-1.0, high=1.0):
    return torch.from_numpy(uniform(shape, seed, low, high))


def one_way(f, operands, direction):
    if direction == "forward":
        return probe(f(*operands)), lambda: f(*operands)
    of = operands[{"input": 0, "weight": 1}[direction]].requires_grad_()
    y = f(*operands)
    g = tensor(tuple(y.shape), 3)
    step = lambda: torch.autograd.grad(y, of, g, retain_graph=True)[0]  # noqa: E731
    return probe(step()), step


def convolution(spec):
    size, window, groups = spec["size"], spec["window"], spec.get("groups", 1)
    x = tensor((spec["n"], spec["channels"], size, size), 1)
    weight = tensor((spec["out"], spec["channels"] // groups, window, window), 2)

    def f(image, w):
        return F.conv2d(image, w, None, spec["stride"], spec["padding"], 1, groups)

    return one_way(f, [x, weight], spec["direction"])


def pooling(spec):
    x, op = tensor(tuple(spec["shape"]), 1), spec["op"]
    mean, variance = torch.zeros(x.shape[1]), torch.ones(x.shape[1])
    if op == "batchNorm":
        return one_way(lambda t: F.batch_norm(t, mean, variance, training=True), [x], spec["direction"])
    call = {"maxPool2d": F.max_pool2d, "avgPool2d": F.avg_pool2d}[op]
    window = spec["window"], spec["stride"], spec.get("padding", 0)
    return one_way(lambda t: call(t, *window), [x], spec["direction"])


MODULES = {
    "conv": lambda inputs, outputs: torch.nn.Conv2d(inputs, outputs, 3),
    "linear": torch.nn.Linear,
    "relu": torch.nn.ReLU,
    "pool": lambda: torch.nn.MaxPool2d(2),
    "flatten": torch.nn.Flatten,
}


def image_training(spec, optimizer):
    model = torch.nn.Sequential(*(MODULES[kind](*sizes) for kind, *sizes in NETWORKS["conv net"][1]))
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            if i % 2 == 0:
                bound = 1 / math.sqrt(p[0].numel())
            p.copy_(tensor(tuple(p.shape), 10 + i, -bound, bound))
    x = tensor((spec["batch"], 1, 28, 28), 3, 0.0, 1.0).to(model[0].weight.dtype)
    y = torch.from_numpy(labels(spec["batch"], 10, 4))
    rule = optimizer(spec, model.parameters())

    def step():
        loss = F.cross_entropy(model(x), y)
        rule.zero_grad(set_to_none=True)
        loss.backward()
        rule.step()
        return loss

    return [step().item() for _ in range(3)], step


if __name__ == "__main__":

    def adamw(spec, parameters):
        return torch.optim.AdamW(parameters, lr=spec["lr"], weight_decay=0.01)

    torch.set_default_dtype(torch.float64)
    print(image_training({"batch": 64, "lr": 1e-3}, adamw)[0])
