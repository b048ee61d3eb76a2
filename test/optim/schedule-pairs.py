"""Writes schedule-pairs.json: two of PyTorch's schedules at a time on one optimizer, over 60 steps, in every order.

Run with a Python that has PyTorch:  python schedule-pairs.py
Per pair the learning rates of two groups before the first step and after each; where OneCycleLR takes part, also the
momentum of the first. `byHand`: each schedule alone, where the program sets the rate of the first group after 20 steps.
`betas`: OneCycleLR on Adam, with betas[0]. `sequences`: other sequences, alone.
"""

import json
import pathlib
import warnings

import torch

warnings.simplefilter("ignore")
lr = torch.optim.lr_scheduler
KINDS = {
    "StepLR": {"step_size": 7, "gamma": 0.8},
    "MultiStepLR": {"milestones": [4, 15, 15, 31], "gamma": 0.7},
    "ExponentialLR": {"gamma": 0.97},
    "LinearLR": {"start_factor": 0.25, "end_factor": 0.75, "total_iters": 23},
    # With another schedule and an eta_min above 0, PyTorch's rate becomes negative.
    "CosineAnnealingLR": {"T_max": 13},
    "LambdaLR": {},
    "OneCycleLR": {"max_lr": 0.4, "total_steps": 60},
    "CosineAnnealingWarmRestarts": {"T_0": 5, "T_mult": 2, "eta_min": 0.02},
    "SequentialLR": {
        "schedulers": [
            ("LinearLR", {"start_factor": 0.25, "total_iters": 6}),
            ("CosineAnnealingLR", {"T_max": 20, "eta_min": 0.05}),
            ("CosineAnnealingWarmRestarts", {"T_0": 7}),
            ("ExponentialLR", {"gamma": 0.9}),
        ],
        "milestones": [6, 25, 40],
    },
    "ReduceLROnPlateau": {"factor": 0.6, "patience": 2, "cooldown": 1, "min_lr": 0.001},
}
# A second OneCycleLR overwrites the bounds that the first one reads from the groups.
OTHER = {
    "OneCycleLR": {
        "max_lr": 0.2,
        "total_steps": 80,
        "pct_start": 0.5,
        "anneal_strategy": "linear",
        "base_momentum": 0.7,
        "max_momentum": 0.9,
    }
}
SEQUENCES = [
    {
        "schedulers": [
            ("LinearLR", {"total_iters": 4}),
            ("OneCycleLR", {"max_lr": 0.3, "total_steps": 30}),
            ("StepLR", {"step_size": 3}),
        ],
        "milestones": [10, 40],
    },
    {
        "schedulers": [
            ("OneCycleLR", {"max_lr": 0.3, "total_steps": 20}),
            ("LambdaLR", {}),
            ("MultiStepLR", {"milestones": [2, 5]}),
        ],
        "milestones": [20, 35],
    },
    {
        "schedulers": [
            ("CosineAnnealingWarmRestarts", {"T_0": 4, "T_mult": 3}),
            ("CosineAnnealingLR", {"T_max": 5}),
            ("LinearLR", {"start_factor": 0.1}),
        ],
        "milestones": [23, 41],
    },
]
STEPS = 60
METRICS = [5 - 0.125 * min(step, 16) + 0.25 * (step % 5) for step in range(STEPS)]


def make(name, optimizer, options):
    if name == "LambdaLR":
        return lr.LambdaLR(optimizer, lambda epoch: 1 / (1 + epoch))
    if name == "SequentialLR":
        parts = [make(part, optimizer, given) for part, given in options["schedulers"]]
        return lr.SequentialLR(optimizer, parts, milestones=options["milestones"])
    return getattr(lr, name)(optimizer, **options)


def advance(schedule, step):
    schedule.step(METRICS[step]) if isinstance(schedule, lr.ReduceLROnPlateau) else schedule.step()


def run(kinds, optimizer=None, by_hand=False, momentum=None):
    if optimizer is None:
        groups = [{"params": [torch.zeros(1)], "lr": rate} for rate in (0.1, 0.5)]
        optimizer = torch.optim.SGD(groups, momentum=0.9)
    schedules = [make(name, optimizer, options) for name, options in kinds]
    rates, momenta = [], []

    def look():
        rates.append([group["lr"] for group in optimizer.param_groups])
        if momentum:
            momenta.append(momentum(optimizer.param_groups[0]))

    look()
    for step in range(STEPS):
        optimizer.step()
        for schedule in schedules:
            advance(schedule, step)
        if by_hand and step == 19:
            optimizer.param_groups[0]["lr"] = 0.3
        look()
    return {"rates": rates, "momenta": momenta} if momentum else {"rates": rates}


def camel(name):
    head, *tail = name.lower().split("_")
    return head + "".join(word.capitalize() for word in tail)


def named(options):
    found = {camel(key): value for key, value in options.items()}
    if "schedulers" in found:
        found["schedulers"] = [[part, named(given)] for part, given in found["schedulers"]]
    return found


def main():
    pairs = []
    for first, options in KINDS.items():
        for second, same in KINDS.items():
            other = OTHER.get(second, same) if first == second else same
            cycled = (lambda group: group["momentum"]) if "OneCycleLR" in (first, second) else None
            found = run([(first, options), (second, other)], momentum=cycled)
            pairs.append({"names": [first, second], "options": [named(options), named(other)], **found})
    adam = torch.optim.Adam([torch.zeros(1)], betas=(0.5, 0.999))
    golden = {
        "torch": torch.__version__.split("+")[0],
        "metrics": METRICS,
        "pairs": pairs,
        "byHand": [
            {"names": [name], "options": [named(options)], **run([(name, options)], by_hand=True)}
            for name, options in [*KINDS.items(), ("CosineAnnealingLR", {"T_max": 13, "eta_min": 0.01})]
        ],
        "sequences": [
            {
                "names": ["SequentialLR"],
                "options": [named(options)],
                **run([("SequentialLR", options)], momentum=lambda group: group["momentum"]),
            }
            for options in SEQUENCES
        ],
        "betas": {
            "names": ["OneCycleLR"],
            "options": [named(OTHER["OneCycleLR"])],
            **run([("OneCycleLR", OTHER["OneCycleLR"])], optimizer=adam, momentum=lambda group: group["betas"][0]),
        },
    }
    text = json.dumps(golden, default=float)
    short = json.loads(text, parse_float=lambda digits: float(f"{float(digits):.15g}"))
    pathlib.Path(__file__).with_name("schedule-pairs.json").write_text(json.dumps(short) + "\n")


main()
