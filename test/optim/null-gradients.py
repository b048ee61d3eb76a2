"""Writes null-gradients.json: PyTorch's optimizers over 50 steps in which a fifth of the gradients, at random, are null.

Run with a Python that has PyTorch:  python null-gradients.py
Four parameters in two groups; where they are every ten steps, and the state of the optimizer at the end.
"""

import json
import pathlib

import torch

CASES = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.2}),
    ("Adam", {"lr": 0.1}),
    ("Adam", {"lr": 0.1, "betas": [0.7, 0.9], "eps": 1e-3, "weight_decay": 0.2}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.2}),
    ("RMSprop", {"lr": 0.1}),
    ("RMSprop", {"lr": 0.1, "alpha": 0.8, "momentum": 0.9, "weight_decay": 0.2}),
    ("RMSprop", {"lr": 0.1, "alpha": 0.8, "eps": 1e-3, "momentum": 0.5, "centered": True}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.3, "weight_decay": 0.2, "initial_accumulator_value": 0.5}),
]
STEPS = 50
SHAPES = [(2, 3), (3,), (1,), (2,)]
SECOND = {"lr": 0.05}  # the second group, of the last two parameters


def camel(name):
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def plain(value):
    if isinstance(value, torch.Tensor):
        return value.tolist() if value.ndim > 0 else value.item()
    return value


def draw(shape):
    return (torch.randn(shape, dtype=torch.float64) * 1000).round() / 1000


def main():
    torch.manual_seed(0)
    start = [draw(shape) for shape in SHAPES]
    gradients = [[None if torch.rand(()) < 0.2 else draw(shape) for shape in SHAPES] for _ in range(STEPS)]
    cases = []
    for name, options in CASES:
        params = [p.clone().requires_grad_() for p in start]
        groups = [{"params": params[:2]}, {"params": params[2:], **SECOND}]
        optimizer = getattr(torch.optim, name)(groups, **options)
        places = []
        for step in gradients:
            for p, g in zip(params, step):
                p.grad = None if g is None else g.clone()
            optimizer.step()
            places.append([p.tolist() for p in params])
        state = [
            {camel(key): plain(value) for key, value in optimizer.state[p].items() if value is not None} for p in params
        ]
        cases.append(
            {
                "name": name,
                "options": {camel(key): value for key, value in options.items()},
                "places": places[9::10],
                "state": state,
            }
        )
    golden = {
        "torch": torch.__version__.split("+")[0],
        "start": [p.tolist() for p in start],
        "gradients": [[None if g is None else g.tolist() for g in step] for step in gradients],
        "second": SECOND,
        "cases": cases,
        "lbfgs": [lbfgs({"lr": 0.1, "max_iter": 4}), lbfgs({"line_search_fn": "strong_wolfe", "max_iter": 4})],
    }
    path = pathlib.Path(__file__).with_name("null-gradients.json")
    path.write_text(json.dumps(golden) + "\n")


def lbfgs(options):
    """A bowl in two parameters; at every fifth call of the closure the gradient of the second is null, which LBFGS takes as 0."""
    x = torch.tensor([3.0, -2.0], dtype=torch.float64, requires_grad=True)
    y = torch.tensor([1.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([x, y], **options)
    calls = 0

    def closure():
        nonlocal calls
        optimizer.zero_grad()
        loss = (x**2).sum() + ((y - 2) ** 2).sum() + 0.5 * (x.sum() * y).sum()
        loss.backward()
        calls += 1
        if calls % 5 == 2:
            y.grad = None
        return loss

    places = []
    for _ in range(12):
        optimizer.step(closure)
        places.append([*x.tolist(), y.item()])
    return {
        "options": {camel(k): "strongWolfe" if v == "strong_wolfe" else v for k, v in options.items()},
        "places": places,
        "calls": calls,
    }


main()
