"""Convolutions, pooling and batch norm, each way by itself; the step of a small convolutional network."""
import math

import torch
import torch.nn.functional as F
from inputs import labels, probe, uniform


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


def image_training(spec, optimizer):
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 32, 3),
        torch.nn.ReLU(),
        torch.nn.Conv2d(32, 64, 3),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(9216, 128),
        torch.nn.ReLU(),
        torch.nn.Linear(128, 10),
    )
    with torch.no_grad():
        for i, p in enumerate(model.parameters()):
            if i % 2 == 0:
                bound = 1 / math.sqrt(p[0].numel())
            p.copy_(tensor(tuple(p.shape), 10 + i, -bound, bound))
    x = tensor((spec["batch"], 1, 28, 28), 3, 0.0, 1.0)
    y = torch.from_numpy(labels(spec["batch"], 10, 4))
    rule = optimizer(spec, model.parameters())

    def step():
        loss = F.cross_entropy(model(x), y)
        rule.zero_grad(set_to_none=True)
        loss.backward()
        rule.step()
        return loss

    return [step().item() for _ in range(3)], step
