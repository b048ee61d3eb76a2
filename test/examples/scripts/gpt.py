"""Trains the character GPT of examples/gpt with PyTorch: gpt.py INPUTS.npz prints the loss of the held-out tokens."""

import json
import math
import sys

import numpy as np
import torch
import torch.nn.functional as F

inputs = np.load(sys.argv[1])
spec = json.loads(bytes(inputs["spec"]).decode())
torch.set_num_threads(spec["threads"])
weights = {
    name[len("w.") :]: torch.tensor(inputs[name]).requires_grad_() for name in inputs.files if name.startswith("w.")
}
train, held = (torch.tensor(inputs[name]).long() for name in ("train", "held"))
heads, block = spec["heads"], spec["block"]


def forward(index):
    batch, length = index.shape
    x = F.embedding(index, weights["tokens.weight"]) + weights["positions.weight"][:length]
    width = x.shape[-1]
    for i in range(spec["layers"]):
        of = lambda name: weights[f"blocks.{i}.{name}.weight"]
        y = F.layer_norm(x, (width,), of("norm1"))
        q, k, v = (
            part.view(batch, length, heads, width // heads).transpose(1, 2)
            for part in F.linear(y, of("attention.project")).split(width, dim=2)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + F.linear(y.transpose(1, 2).reshape(x.shape), of("attention.join"))
        y = F.gelu(F.linear(F.layer_norm(x, (width,), of("norm2")), of("widen")))
        x = x + F.linear(y, of("narrow"))
    return F.linear(F.layer_norm(x, (width,), weights["norm.weight"]), weights["tokens.weight"])


def loss(starts, tokens):
    index = torch.stack([tokens[at : at + block] for at in starts])
    target = torch.stack([tokens[at + 1 : at + block + 1] for at in starts])
    return F.cross_entropy(forward(index).flatten(0, 1), target.flatten())


matrices = [w for w in weights.values() if w.ndim > 1]
rest = [w for w in weights.values() if w.ndim < 2]
optimizer = torch.optim.AdamW(
    [{"params": matrices, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0}], lr=spec["lr"], betas=(0.9, 0.99)
)
for step, starts in enumerate(inputs["starts"]):
    done = min(1, (step - 100) / max(1, len(inputs["starts"]) - 100))
    factor = (step + 1) / 101 if step < 100 else 0.1 + 0.9 * (1 + math.cos(math.pi * done)) / 2
    for group in optimizer.param_groups:
        group["lr"] = spec["lr"] * factor
    optimizer.zero_grad()
    loss(starts.tolist(), train).backward()
    torch.nn.utils.clip_grad_norm_(list(weights.values()), 1.0)
    optimizer.step()

with torch.no_grad():
    windows = torch.arange(0, len(held) - block, block).split(64)
    total = sum(loss(part.tolist(), held).item() * len(part) for part in windows)
print(total / sum(len(part) for part in windows))
