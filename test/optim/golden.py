"""Writes golden.json: trajectories of PyTorch's optimizers over five steps.

Run with a Python that has PyTorch:  python golden.py
Two parameters, given gradients; where the gradient of a step is null, the parameter is not stepped.
"""

import json
import pathlib

import torch

CASES = [
    ("SGD", torch.optim.SGD, {"lr": 0.1}),
    ("SGD", torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}),
    ("SGD", torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", torch.optim.SGD, {"lr": 0.1, "momentum": 0.8, "dampening": 0.3}),
    ("SGD", torch.optim.SGD, {"lr": 0.1, "weight_decay": 0.2}),
    ("SGD", torch.optim.SGD, {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1, "nesterov": True}),
    ("Adam", torch.optim.Adam, {}),
    ("Adam", torch.optim.Adam, {"lr": 0.1, "betas": [0.7, 0.9], "eps": 1e-3}),
    ("Adam", torch.optim.Adam, {"lr": 0.1, "weight_decay": 0.2}),
    ("AdamW", torch.optim.AdamW, {}),
    ("AdamW", torch.optim.AdamW, {"lr": 0.1, "weight_decay": 0.2}),
    ("RMSprop", torch.optim.RMSprop, {}),
    ("RMSprop", torch.optim.RMSprop, {"lr": 0.1, "alpha": 0.8, "momentum": 0.9, "weight_decay": 0.2}),
    ("RMSprop", torch.optim.RMSprop, {"lr": 0.1, "alpha": 0.8, "eps": 1e-3, "centered": True}),
    ("RMSprop", torch.optim.RMSprop, {"lr": 0.1, "alpha": 0.8, "eps": 1e-3, "momentum": 0.5, "centered": True}),
    ("Adagrad", torch.optim.Adagrad, {}),
    ("Adagrad", torch.optim.Adagrad, {"lr": 0.1, "lr_decay": 0.3, "weight_decay": 0.2, "initial_accumulator_value": 0.5, "eps": 1e-3}),
]
schedule = torch.optim.lr_scheduler
SCHEDULES = [
    ("StepLR", schedule.StepLR, {"step_size": 3, "gamma": 0.5}),
    ("MultiStepLR", schedule.MultiStepLR, {"milestones": [2, 5, 5, 7]}),
    ("ExponentialLR", schedule.ExponentialLR, {"gamma": 0.9}),
    ("CosineAnnealingLR", schedule.CosineAnnealingLR, {"T_max": 5}),
    ("CosineAnnealingLR", schedule.CosineAnnealingLR, {"T_max": 9, "eta_min": 0.01}),
    ("LinearLR", schedule.LinearLR, {}),
    ("LinearLR", schedule.LinearLR, {"start_factor": 0.25, "end_factor": 0.75, "total_iters": 7}),
    ("LambdaLR", schedule.LambdaLR, {"lr_lambda": lambda epoch: 1 / (1 + epoch)}),
    ("OneCycleLR", schedule.OneCycleLR, {"max_lr": 2.0, "total_steps": 12, "cycle_momentum": False}),
    (
        "OneCycleLR",
        schedule.OneCycleLR,
        {"max_lr": 2.0, "total_steps": 10, "pct_start": 0.5, "anneal_strategy": "linear", "div_factor": 10, "cycle_momentum": False},
    ),
]
RESTARTS = [{"T_0": 3}, {"T_0": 2, "T_mult": 2, "eta_min": 0.01}]
PLATEAUS = [
    {"patience": 1},
    {"patience": 0, "factor": 0.5, "cooldown": 2},
    {"mode": "max", "patience": 1, "threshold": 0.2, "threshold_mode": "abs", "min_lr": 0.04},
    {"patience": 0, "threshold": 0.3},
]
METRICS = [3.0, 2.0, 2.1, 2.05, 2.3, 1.9, 1.95, 2.4, 2.5, float("inf"), 2.5, 2.6]
LBFGS = [
    {"lr": 0.01},
    {"lr": 0.5, "line_search_fn": "strong_wolfe"},
    {"line_search_fn": "strong_wolfe", "history_size": 2},
    {"line_search_fn": "strong_wolfe", "max_iter": 4, "max_eval": 6},
    {"line_search_fn": "strong_wolfe", "max_iter": 3, "max_eval": 60, "lr": 1e-9},
]
STEPS = 5
SHAPES = [(2, 3), (3,)]


def camel(name):
    head, *tail = name.split("_")
    return head + "".join(word.capitalize() for word in tail)


def rates(make, options):
    """The rates of two groups before the first step and after each of nine."""
    groups = [{"params": [torch.zeros(1)], "lr": lr} for lr in (0.1, 0.5)]
    optimizer = torch.optim.SGD(groups, lr=1)
    scheduler = make(optimizer, **options)
    found = [[group["lr"] for group in optimizer.param_groups]]
    for _ in range(9):
        optimizer.step()
        scheduler.step()
        found.append([group["lr"] for group in optimizer.param_groups])
    return found


def two_groups():
    return torch.optim.SGD([{"params": [torch.zeros(1)], "lr": lr} for lr in (0.1, 0.5)], lr=1)


def sequence():
    optimizer = two_groups()
    parts = [
        schedule.LinearLR(optimizer, start_factor=0.25, total_iters=3),
        schedule.ExponentialLR(optimizer, gamma=0.9),
        schedule.StepLR(optimizer, step_size=2),
    ]
    scheduler = schedule.SequentialLR(optimizer, schedulers=parts, milestones=[3, 6])
    found = [[group["lr"] for group in optimizer.param_groups]]
    for _ in range(11):
        optimizer.step()
        scheduler.step()
        found.append([group["lr"] for group in optimizer.param_groups])
    return found


def plateau(options):
    optimizer = two_groups()
    scheduler = schedule.ReduceLROnPlateau(optimizer, **options)
    found = []
    for value in METRICS:
        scheduler.step(value)
        found.append([group["lr"] for group in optimizer.param_groups])
    return found


def lbfgs(options):
    """Rosenbrock's valley, its parameters in two tensors; where it is after each step, and the loss the step gave."""
    x, y = (torch.tensor([v], dtype=torch.float64, requires_grad=True) for v in (-1.2, 1.0))
    optimizer = torch.optim.LBFGS([x, y], **options)

    def closure():
        optimizer.zero_grad()
        loss = ((1 - x) ** 2 + 100 * (y - x**2) ** 2).sum()
        loss.backward()
        return loss

    found = []
    for _ in range(4):
        loss = optimizer.step(closure)
        found.append({"loss": loss.item(), "at": [x.item(), y.item()]})
    return found


def rows(tensors):
    return [None if t is None else t.detach().tolist() for t in tensors]


def main():
    torch.manual_seed(0)
    draw = lambda: [torch.randn(shape, dtype=torch.float64) for shape in SHAPES]
    start = draw()
    gradients = [draw() for _ in range(STEPS)]
    gradients[0][1] = None  # starts a step later than the other
    gradients[3][0] = None  # and is overtaken by none
    cases = []
    for name, make, options in CASES:
        params = [p.clone().requires_grad_() for p in start]
        optimizer = make(params, **options)
        trajectory = []
        for step in gradients:
            for p, g in zip(params, step):
                p.grad = None if g is None else g.clone()
            optimizer.step()
            trajectory.append(rows(params))
        cases.append({"name": name, "options": {camel(k): v for k, v in options.items()}, "trajectory": trajectory})
    schedules = [
        {
            "name": name,
            "options": {camel(k.lower()): v for k, v in options.items() if k != "lr_lambda"},
            "rates": rates(make, options),
        }
        for name, make, options in SCHEDULES
    ]
    clip = []
    for norm_type in [2.0, 1.0, 3.0, float("inf")]:
        for max_norm in [0.5, 100.0]:
            params = [torch.zeros(shape, dtype=torch.float64, requires_grad=True) for shape in SHAPES]
            for p, g in zip(params, gradients[1]):
                p.grad = g.clone()
            norm = torch.nn.utils.clip_grad_norm_(params, max_norm, norm_type=norm_type)
            order = "Infinity" if norm_type == float("inf") else norm_type
            result = {"normType": order, "maxNorm": max_norm, "norm": norm.item(), "gradients": rows(p.grad for p in params)}
            clip.append(result)
    golden = {
        "torch": torch.__version__.split("+")[0],
        "start": rows(start),
        "gradients": [rows(step) for step in gradients],
        "cases": cases,
        "clip": clip,
        "schedules": schedules,
        "restarts": [
            {
                "options": {camel(k.lower()): v for k, v in options.items()},
                "rates": rates(schedule.CosineAnnealingWarmRestarts, options),
            }
            for options in RESTARTS
        ],
        "sequence": sequence(),
        "metrics": [str(value) for value in METRICS],
        "plateaus": [{"options": {camel(k): v for k, v in o.items()}, "rates": plateau(o)} for o in PLATEAUS],
        "lbfgs": [
            {
                "options": {camel(k): "strongWolfe" if v == "strong_wolfe" else v for k, v in o.items()},
                "steps": lbfgs(o),
            }
            for o in LBFGS
        ],
    }
    path = pathlib.Path(__file__).with_name("golden.json")
    path.write_text(json.dumps(golden) + "\n")


main()
