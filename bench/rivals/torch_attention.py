"""Scaled dot-product attention, forward alone and both ways."""
import torch
from inputs import probe, uniform


def attention(spec):
    shape = (1, spec["heads"], spec["length"], spec["size"])
    backward = spec["backward"]
    q, k, v = (torch.from_numpy(uniform(shape, seed, -2, 2)).requires_grad_(backward) for seed in (1, 2, 3))
    gradient = torch.from_numpy(uniform(shape, 4, -2, 2))

    def forward():
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=spec["causal"])

    if not backward:
        return probe(forward()), forward

    def step():
        q.grad = k.grad = v.grad = None
        y = forward()
        y.backward(gradient)
        return y

    y = step()
    return sum((probe(x) for x in (y.detach(), q.grad, k.grad, v.grad)), []), step


cases = {"attention": attention}
