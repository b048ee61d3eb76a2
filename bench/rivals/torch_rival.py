import inspect
import math
import os

import torch
import torch_autograd
import torch_conv
import torch_attention
import torch_norm
import torch_train_gpt
from inputs import labels, probe, serve, uniform


def tensor(shape, seed, low=-1.0, high=1.0):
    return torch.from_numpy(uniform(shape, seed, low, high))


def matmul(spec):
    m, k, n, batch = spec["m"], spec["k"], spec["n"], spec.get("batch")
    lead = (batch,) if batch else ()

    def operand(rows, columns, seed, transposed):
        x = tensor(lead + ((columns, rows) if transposed else (rows, columns)), seed)
        x = x.to(getattr(torch, spec.get("dtype", "float32")))
        return x.mT if transposed else x

    a, b = operand(m, k, 1, spec["transA"]), operand(k, n, 2, spec["transB"])
    return probe(a @ b), lambda: a @ b


def elementwise(spec):
    a, b = tensor(spec["size"], 1), tensor(spec["size"], 2)
    op = getattr(torch, spec["op"], None) or getattr(torch.nn.functional, spec["op"])
    operands = (a, b) if spec["op"] in ("add", "mul") else (a,)
    if spec["variant"] != "out=":
        return probe(op(*operands)), lambda: op(*operands)
    if spec["op"] == "relu":
        raise NotImplementedError("relu takes no out=")
    into = torch._C._nn.gelu if spec["op"] == "gelu" else op  # what torch.nn.functional.gelu calls, which takes no out=
    out = torch.empty_like(a)
    return probe(into(*operands, out=out)), lambda: into(*operands, out=out)


def forward(spec):
    recorded = spec.get("recorded", False)
    a, b = (tensor(4, seed).requires_grad_(recorded) for seed in (1, 2))
    return (a * b).tolist(), lambda: a * b


def both_ways(spec):
    a, b = tensor(4, 1).requires_grad_(), tensor(4, 2).requires_grad_()
    ones = torch.ones(4)

    def step():
        a.grad = b.grad = None
        y = a * b
        if spec["through"] == "sum":
            y.sum().backward()
        else:
            y.backward(ones)

    step()
    return a.grad.tolist() + b.grad.tolist(), step


def optimizer(spec, parameters):
    if spec["optimizer"] == "sgd":
        return torch.optim.SGD(parameters, lr=spec["lr"], **options(torch.optim.SGD, spec["variant"]))
    return torch.optim.AdamW(parameters, lr=spec["lr"], weight_decay=0.01, **options(torch.optim.AdamW, spec["variant"]))


def options(kind, variant):
    if variant is None:
        return {}
    if variant not in inspect.signature(kind).parameters:
        raise NotImplementedError(f"{kind.__name__} of this version has no {variant}")
    return {variant: True}


def adamw(spec):
    parameters = []
    for i in range(spec["tensors"]):
        parameters.append(tensor(spec["size"], 10 + 2 * i).requires_grad_())
        parameters[-1].grad = tensor(spec["size"], 11 + 2 * i)
    rule = optimizer({**spec, "optimizer": "adamw", "lr": 1e-3}, parameters)
    for _ in range(3):
        rule.step()
    return [value for p in parameters for value in probe(p.detach())], rule.step


def reduce(spec):
    op, dim = spec["op"], spec.get("dim")
    if op == "sum":
        side = math.isqrt(spec["size"])
        x = tensor((side, side), 1)
        step = x.sum if dim is None else lambda: x.sum(dim)
        return [float(step())] if dim is None else probe(step()), step
    x = tensor(spec["size"], 1)
    step = {"sort": lambda: x.sort()[0], "argsort": x.argsort, "topk": lambda: x.topk(100)[0]}[op]
    return probe(x[step()] if op == "argsort" else step()), step


def training(spec):
    layers = []
    for i, (inputs, outputs) in enumerate(zip(spec["sizes"], spec["sizes"][1:])):
        if i:
            layers.append(torch.nn.ReLU() if spec["task"] == "classes" else torch.nn.Tanh())
        linear, bound = torch.nn.Linear(inputs, outputs), inputs**-0.5
        with torch.no_grad():
            linear.weight.copy_(tensor((outputs, inputs), 10 + 2 * i, -bound, bound))
            linear.bias.copy_(tensor(outputs, 11 + 2 * i, -bound, bound))
        layers.append(linear)
    model = torch.nn.Sequential(*layers)
    batch, outputs = spec["batch"], spec["sizes"][-1]
    x = tensor((batch, spec["sizes"][0]), 3, 0.0, 1.0)
    if spec["task"] == "classes":
        y, measure = torch.from_numpy(labels(batch, outputs, 4)), torch.nn.functional.cross_entropy
    else:
        y, measure = tensor((batch, outputs), 4), torch.nn.functional.mse_loss
    rule = optimizer(spec, model.parameters())

    def step():
        loss = measure(model(x), y)
        rule.zero_grad(set_to_none=True)
        loss.backward()
        rule.step()
        return loss

    return [step().item() for _ in range(3)], step


def main():
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    cases = {"matmul": matmul, "elementwise": elementwise, "forward": forward, "bothWays": both_ways, "training": training}
    cases |= {"derivative": torch_autograd.derivative, "optimizer": adamw, "reduce": reduce}
    cases |= {"convolution": torch_conv.convolution, "pooling": torch_conv.pooling}
    cases["imageTraining"] = lambda spec: torch_conv.image_training(spec, optimizer)
    cases |= torch_attention.cases | torch_norm.cases | torch_train_gpt.cases
    serve(torch.__version__, cases)


main()
