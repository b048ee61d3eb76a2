"""Norms and other ops over rows: softmax, layer norm, batch norm, cross-entropy, and an embedding's gradient."""
import torch
import torch.nn.functional as F
from inputs import labels, probe, uniform


def softmax(spec):
    return [(spec["rows"], spec["size"])], lambda x: F.softmax(x, -1)


def layer_norm(spec):
    size = spec["size"]
    return [(spec["rows"], size), (size,), (size,)], lambda x, weight, bias: F.layer_norm(x, (size,), weight, bias)


def batch_norm(spec):
    channels = spec["shape"][1]
    mean, variance = torch.from_numpy(uniform(channels, 11)), torch.from_numpy(uniform(channels, 12, 0.5, 1.5))

    def apply(x, weight, bias):
        return F.batch_norm(x, mean, variance, weight, bias, training=spec["training"])

    return [tuple(spec["shape"]), (channels,), (channels,)], apply


def cross_entropy(spec):
    target = torch.from_numpy(labels(spec["rows"], spec["size"], 9))
    return [(spec["rows"], spec["size"])], lambda x: F.cross_entropy(x, target)


def embedding(spec):
    index = torch.from_numpy(labels(spec["count"], spec["rows"], 9))
    return [(spec["rows"], spec["size"])], lambda x: F.embedding(index, x)


ops = {
    "softmax": softmax,
    "layerNorm": layer_norm,
    "batchNorm": batch_norm,
    "crossEntropy": cross_entropy,
    "embedding": embedding,
}


def rowwise(spec):
    shapes, apply = ops[spec["op"]](spec)
    inputs = [torch.from_numpy(uniform(s, 1 + i)).requires_grad_(spec["backward"]) for i, s in enumerate(shapes)]
    if not spec["backward"]:
        return probe(apply(*inputs)), lambda: apply(*inputs)
    shape = apply(*inputs).shape
    gradient = torch.from_numpy(uniform(tuple(shape), 8)) if shape else None

    def step():
        for x in inputs:
            x.grad = None
        y = apply(*inputs)
        y.backward(gradient)
        return y

    y = step()
    return sum((probe(x) for x in (y.detach(), *(x.grad for x in inputs))), []), step


cases = {"rowwise": rowwise}
