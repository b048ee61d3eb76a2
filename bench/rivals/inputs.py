"""The same operands as bench/harness/inputs.mjs, and the contender's side of the line protocol."""
import json
import sys
import time

import numpy as np


def hashes(n, seed):
    mask = 0xFFFFFFFF
    x = np.arange(1, n + 1, dtype=np.uint32) * np.uint32(0x9E3779B1)
    x ^= np.uint32((seed + 1) * 0x85EBCA6B & mask)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def uniform(shape, seed, low=-1.0, high=1.0):
    n = int(np.prod(shape))
    grid = (hashes(n, seed) >> np.uint32(8)).astype(np.float64) / 2**24
    return (low + (high - low) * grid).astype(np.float32).reshape(shape)


def labels(n, classes, seed):
    return (hashes(n, seed) % np.uint32(classes)).astype(np.int64)


def probe(array):
    flat = np.asarray(array).reshape(-1)
    return [float(flat[i * (flat.size - 1) // 15]) for i in range(16)]


def say(**fields):
    print(json.dumps(fields), flush=True)


def serve(version, cases):
    """A line opens a case (a spec), runs it so many times (a number), or ends it (empty); a case is a function giving
    its result and a step to repeat."""
    step = None
    for line in map(str.strip, sys.stdin):
        if line.startswith("{"):
            step = None
            value, step = opened(json.loads(line), cases)
            if step:
                say(version=version, value=value)
        elif line:
            count = range(int(line))
            start = time.perf_counter()
            for _ in count:
                step()
            say(seconds=time.perf_counter() - start)
        else:
            step = None
            say()


def opened(spec, cases):
    try:
        if spec["kind"] in cases:
            return cases[spec["kind"]](spec)
        raise NotImplementedError(f"no case {spec['kind']}")
    except NotImplementedError as error:
        say(unsupported=str(error))
        return None, None
