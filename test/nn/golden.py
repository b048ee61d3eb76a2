"""Writes golden.json: results and gradients of PyTorch's layers on small float64 tensors.

Run with a Python that has PyTorch:  python golden.py
"""

import json
import pathlib

import torch
import torch.nn.functional as F

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)

# function, shapes of the tensors, options by PyTorch's names
CONVOLUTIONS = [
    ("conv2d", [(2, 3, 6, 5), (4, 3, 3, 2), (4,)], {}),
    ("conv2d", [(2, 4, 6, 7), (6, 2, 3, 3), (6,)], {"stride": [2, 1], "padding": [1, 2], "groups": 2}),
    ("conv2d", [(1, 2, 9, 8), (3, 2, 3, 2), (3,)], {"dilation": [2, 3], "padding": [2, 1], "stride": [3, 2]}),
    ("conv2d", [(3, 4, 4, 4), (4, 1, 3, 3), (4,)], {"groups": 4, "padding": 1}),
    ("conv2d", [(3, 5, 5), (2, 3, 1, 1), (2,)], {}),
    ("conv1d", [(2, 4, 9), (6, 2, 3), (6,)], {"stride": 2, "padding": 2, "dilation": 2, "groups": 2}),
    ("conv_transpose2d", [(2, 3, 4, 3), (3, 4, 3, 2), (4,)], {}),
    (
        "conv_transpose2d",
        [(2, 4, 3, 4), (4, 3, 3, 3), (6,)],
        {"stride": [2, 3], "padding": [1, 2], "output_padding": [1, 2], "groups": 2, "dilation": [2, 1]},
    ),
]
NORMS = [
    ("layer_norm", [(3, 4)], [(4,), (4,)], {"normalized_shape": [4]}),
    ("layer_norm", [(2, 3, 4)], [(3, 4), (3, 4)], {"normalized_shape": [3, 4], "eps": 0.01}),
    ("rms_norm", [(3, 4)], [(4,)], {"normalized_shape": [4]}),
    ("group_norm", [(2, 6, 3)], [(6,), (6,)], {"num_groups": 3}),
    ("batch_norm", [(4, 3)], [(3,), (3,)], {"training": True}),
    ("batch_norm", [(2, 3, 2, 2)], [(3,), (3,)], {"training": True, "eps": 0.1}),
]
POOLS = [
    ("max_pool2d", [(2, 3, 7, 6)], {"kernel_size": [3, 2], "stride": [2, 1], "padding": [1, 1]}),
    ("max_pool2d", [(2, 8, 9)], {"kernel_size": 3, "dilation": 2}),
    ("avg_pool2d", [(2, 3, 7, 6)], {"kernel_size": [3, 2], "stride": [2, 1], "padding": [1, 1]}),
    ("avg_pool2d", [(2, 7, 6)], {"kernel_size": 3, "padding": 1, "count_include_pad": False}),
    ("adaptive_avg_pool2d", [(2, 3, 7, 6)], {"output_size": [3, 4]}),
]
ATTENTION = [
    ("scaled_dot_product_attention", [(2, 3, 4), (2, 5, 4), (2, 5, 3)], {}),
    ("scaled_dot_product_attention", [(2, 4, 4), (2, 5, 4), (2, 5, 3)], {"is_causal": True, "scale": 0.3}),
    ("scaled_dot_product_attention", [(1, 4, 3, 2), (1, 2, 5, 2), (1, 2, 5, 2)], {"enable_gqa": True}),
]
LOSSES = [
    ("l1_loss", {"reduction": "mean"}),
    ("huber_loss", {"delta": 0.7, "reduction": "sum"}),
    ("binary_cross_entropy", {"reduction": "none"}),
    ("kl_div", {"reduction": "batchmean"}),
    ("kl_div", {"log_target": True, "reduction": "sum"}),
]


def camel(name):
    head, *tail = name.split("_")
    return head + "".join(word[0].upper() + word[1:] for word in tail)


def draw(shapes):
    return [torch.randn(shape).requires_grad_() for shape in shapes]


def entry(name, out, inputs, options):
    cotangent = torch.randn(out.shape)
    gradients = torch.autograd.grad(out, inputs, cotangent)
    return {
        "name": camel(name),
        "inputs": [x.detach().tolist() for x in inputs],
        "options": {camel(k): v for k, v in options.items()},
        "out": out.detach().tolist(),
        "cotangent": cotangent.tolist(),
        "gradients": [g.tolist() for g in gradients],
    }


def functions():
    for name, shapes, options in CONVOLUTIONS + POOLS + ATTENTION:
        inputs = draw(shapes)
        yield entry(name, getattr(F, name)(*inputs, **options), inputs, options)
    for name, shapes, factors, options in NORMS:
        x, weight, *bias = draw(shapes + factors)
        given = {"weight": weight, **({"bias": bias[0]} if bias else {})}
        running = {"running_mean": None, "running_var": None} if name == "batch_norm" else {}
        yield entry(name, getattr(F, name)(x, **running, **given, **options), [x, weight, *bias], options)
    for name, options in LOSSES:
        a, b = torch.rand(2, 5, 3) * 0.9 + 0.05
        if name == "kl_div":
            a = a.log()
            b = b.log() if options.get("log_target") else b
        a, b = a.detach().requires_grad_(), b.detach().requires_grad_()
        yield entry(name, getattr(F, name)(a, b, **options), [a, b], options)


def state(module):
    return {key: value.tolist() for key, value in module.state_dict().items()}


def batch_norm():
    module = torch.nn.BatchNorm2d(3, momentum=0.3)
    batches = [torch.randn(2, 3, 2, 2) for _ in range(3)]
    for batch in batches:
        module(batch)
    module.eval()
    return {"batches": [b.tolist() for b in batches], "state": state(module), "out": module(batches[0]).tolist()}


def multihead():
    module = torch.nn.MultiheadAttention(6, 3)
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.randn(p.shape) * 0.5)
    query, key, value = torch.randn(4, 2, 6), torch.randn(5, 2, 6), torch.randn(5, 2, 6)
    padding = torch.tensor([[False, False, True, False, False], [False, True, True, False, False]])
    hidden = torch.rand(4, 5) > 0.7
    hidden[:, 0] = False
    added = torch.randn(6, 4, 5)
    calls = [
        {},
        {"key_padding_mask": padding},
        {"attn_mask": hidden, "average_attn_weights": False},
        {"attn_mask": added},
        {"attn_mask": hidden, "key_padding_mask": padding},
    ]
    results = []
    for options in calls:
        out, weights = module(query, key, value, **options)
        given = {camel(k): v.tolist() if isinstance(v, torch.Tensor) else v for k, v in options.items()}
        results.append({"options": given, "out": out.tolist(), "weights": weights.tolist()})
    inputs = [x.tolist() for x in (query, key, value)]
    return {"state": state(module), "inputs": inputs, "calls": results}


def fill(module):
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.randn(p.shape) * 0.5)


RECURRENT = [
    {},
    {"bias": False},
    {"num_layers": 2, "batch_first": True},
    {"bidirectional": True},
    {"num_layers": 2, "bidirectional": True, "batch_first": True},
    {"num_layers": 3, "bias": False, "bidirectional": True},
]


def recurrent():
    for kind, names in (("LSTM", ("h0", "c0")), ("GRU", ("h0",))):
        for options in RECURRENT:
            for given in (True, False):
                module = getattr(torch.nn, kind)(3, 2, **options)
                fill(module)
                layers = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
                x = torch.randn((2, 5, 3) if options.get("batch_first") else (5, 2, 3)).requires_grad_()
                states = draw([(layers, 2, 2)] * len(names)) if given else []
                out, last = module(x, (tuple(states) if kind == "LSTM" else states[0]) if given else None)
                results = [out, *(last if kind == "LSTM" else [last])]
                cotangents = [torch.randn(r.shape) for r in results]
                inputs = [x, *states, *module.parameters()]
                gradients = torch.autograd.grad(results, inputs, cotangents)
                yield {
                    "kind": kind,
                    "options": {camel(k): v for k, v in options.items()},
                    "state": state(module),
                    "x": x.tolist(),
                    "states": {name: s.tolist() for name, s in zip(names, states)},
                    "results": [r.tolist() for r in results],
                    "cotangents": [c.tolist() for c in cotangents],
                    "gradients": [g.tolist() for g in gradients],
                }


def encoder():
    padding = torch.tensor([[False, False, True, False], [False, False, True, True]])
    later = torch.triu(torch.ones(4, 4, dtype=torch.bool), diagonal=1)
    for options in (
        {},
        {"norm_first": True},
        {"activation": "gelu", "batch_first": True},
        {"norm_first": True, "activation": "gelu", "bias": False, "layer_norm_eps": 0.01},
    ):
        module = torch.nn.TransformerEncoderLayer(4, 2, dim_feedforward=6, dropout=0.0, **options)
        fill(module)
        for masks in ({}, {"src_mask": later}, {"src_key_padding_mask": padding}, {"src_mask": later, "src_key_padding_mask": padding}):
            x = torch.randn((2, 4, 4) if options.get("batch_first") else (4, 2, 4)).requires_grad_()
            out = module(x, **masks)
            cotangent = torch.randn(out.shape)
            gradients = torch.autograd.grad(out, [x, *module.parameters()], cotangent)
            yield {
                "options": {camel(k): v for k, v in options.items()},
                "masks": {camel(k): v.tolist() for k, v in masks.items()},
                "state": state(module),
                "x": x.tolist(),
                "out": out.tolist(),
                "cotangent": cotangent.tolist(),
                "gradients": [g.tolist() for g in gradients],
            }


def similarities():
    for name, shapes, options in (
        ("normalize", [(3, 4)], {}),
        ("normalize", [(3, 4, 2)], {"p": 3.0, "dim": -1}),
        ("cosine_similarity", [(3, 4), (3, 4)], {}),
        ("cosine_similarity", [(3, 1, 4), (2, 4)], {"dim": 2}),
    ):
        inputs = draw(shapes)
        yield entry(name, getattr(F, name)(*inputs, **options), inputs, options)


golden = {
    "torch": torch.__version__.split("+")[0],
    "functions": list(functions()),
    "batchNorm": batch_norm(),
    "multihead": multihead(),
    "recurrent": list(recurrent()),
    "encoder": list(encoder()),
    "similarities": list(similarities()),
}
pathlib.Path(__file__).with_name("golden.json").write_text(json.dumps(golden) + "\n")
