"""The training step of a small GPT. Run by itself, it prints the first losses in float64, which all are held against."""
import inspect

import torch
import torch.nn.functional as F
from inputs import labels, uniform


class Block(torch.nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = torch.nn.LayerNorm(width)
        self.project = torch.nn.Linear(width, 3 * width)
        self.join = torch.nn.Linear(width, width)
        self.norm2 = torch.nn.LayerNorm(width)
        self.widen = torch.nn.Linear(width, 4 * width)
        self.narrow = torch.nn.Linear(4 * width, width)

    def forward(self, x):
        batch, length, width = x.shape
        parts = self.project(self.norm1(x)).split(width, 2)
        q, k, v = (part.view(batch, length, self.heads, width // self.heads).transpose(1, 2) for part in parts)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.join(seen.transpose(1, 2).reshape(x.shape))
        return x + self.narrow(F.gelu(self.widen(self.norm2(x))))


class GPT(torch.nn.Module):
    def __init__(self, spec):
        super().__init__()
        self.tokens = torch.nn.Parameter(torch.zeros(spec["vocabulary"], spec["width"]))
        self.places = torch.nn.Parameter(torch.zeros(spec["block"], spec["width"]))
        self.blocks = torch.nn.ModuleList(Block(spec["width"], spec["heads"]) for _ in range(spec["layers"]))
        self.norm = torch.nn.LayerNorm(spec["width"])
        self.head = torch.nn.Linear(spec["width"], spec["vocabulary"])

    def forward(self, index):
        x = F.embedding(index, self.tokens) + self.places
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


def fill(model):
    """In order of definition, each from a seed of its own; norms start as the identity."""
    inputs = None
    with torch.no_grad():
        for i, (name, p) in enumerate(model.named_parameters()):
            if "norm" in name:
                continue
            if i < 2:
                bound = 0.1
            else:
                inputs = p.shape[1] if p.ndim == 2 else inputs  # a bias follows its weight
                bound = inputs**-0.5
            p.copy_(torch.from_numpy(uniform(tuple(p.shape), 10 + i, -bound, bound)))


def gpt(spec, dtype=torch.float32):
    model = GPT(spec)
    fill(model)
    model = model.to(dtype)
    size = spec["batch"] * spec["block"]
    index = torch.from_numpy(labels(size, spec["vocabulary"], 3)).view(spec["batch"], spec["block"])
    target = torch.from_numpy(labels(size, spec["vocabulary"], 4))
    variant = spec.get("variant")
    if variant and variant not in inspect.signature(torch.optim.AdamW).parameters:
        raise NotImplementedError(f"AdamW of this version has no {variant}")
    rule = torch.optim.AdamW(model.parameters(), lr=spec["lr"], weight_decay=0.01, **({variant: True} if variant else {}))

    def step():
        loss = F.cross_entropy(model(index).view(-1, spec["vocabulary"]), target)
        rule.zero_grad(set_to_none=True)
        loss.backward()
        rule.step()
        return loss

    return [step().item() for _ in range(3)], step


cases = {"gpt": gpt}

if __name__ == "__main__":
    for sizes in ((4, 128, 4, 64, 12), (6, 384, 6, 128, 8)):
        spec = dict(zip(("layers", "width", "heads", "block", "batch"), sizes), vocabulary=65, lr=3e-4)
        print(sizes, gpt(spec, torch.float64)[0])
