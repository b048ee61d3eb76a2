"""Minimax polynomials whose coefficients are floating-point numbers.

`fit` finds c[0..count) that minimise max |weight(x) * (f(x) - sum c[k] x^k)| on an interval, by the Remez exchange. The
coefficients are then rounded one after the other, lowest first, and the rest fitted again to what rounding left over.
"""

import mpmath as mp

mp.mp.dps = 60


def round_to(bits, value):
    """The nearest number of `bits` significant bits."""
    value = mp.mpf(value)
    if value == 0:
        return value
    scale = mp.mpf(2) ** (bits - 1 - int(mp.floor(mp.log(abs(value), 2))))
    return mp.nint(value * scale) / scale


def chebyshev_nodes(a, b, count):
    return [(a + b) / 2 - (b - a) / 2 * mp.cos(mp.pi * k / (count - 1)) for k in range(count)]


def remez(f, weight, a, b, powers, rounds=8):
    """Coefficients of the given powers, and the largest weighted error."""
    nodes = chebyshev_nodes(a, b, len(powers) + 1)
    dense = chebyshev_nodes(a, b, 24 * (len(powers) + 1) + 1)
    table = [(x, f(x), weight(x)) for x in dense]
    c, worst = None, None
    for _ in range(rounds):
        rows, right = [], []
        for i, x in enumerate(nodes):
            w = weight(x)
            rows.append([w * x**k for k in powers] + [(-1) ** i])
            right.append(w * f(x))
        c = mp.lu_solve(mp.matrix(rows), mp.matrix(right))[: len(powers)]
        errors = [(x, w * (y - sum(ck * x**k for ck, k in zip(c, powers)))) for x, y, w in table]
        worst = max(abs(e) for _, e in errors)
        # One extremum for each run of equal sign.
        extrema = [errors[0]]
        for x, e in errors[1:]:
            if (e > 0) == (extrema[-1][1] > 0):
                if abs(e) > abs(extrema[-1][1]):
                    extrema[-1] = (x, e)
            else:
                extrema.append((x, e))
        while len(extrema) > len(nodes):
            extrema.pop(0 if abs(extrema[0][1]) < abs(extrema[-1][1]) else -1)
        if len(extrema) < len(nodes):
            break
        nodes = [x for x, _ in extrema]
        smallest = min(abs(e) for _, e in extrema)
        if worst < smallest * mp.mpf("1.01"):
            break
    return c, worst


def fit(f, weight, a, b, count, bits, careful=4):
    """`count` coefficients of `bits` bits; where it helps, the lowest `careful` are rounded one at a time."""
    a, b = mp.mpf(a), mp.mpf(b)
    values = {}

    def value(x):
        if x not in values:
            values[x] = f(x)
        return values[x]

    def rounded(steps):
        fixed = []
        while len(fixed) < count:

            def rest(x):
                return value(x) - sum(ck * x**k for k, ck in enumerate(fixed))

            powers = list(range(len(fixed), count))
            c = list(remez(rest, weight, a, b, powers)[0])
            fixed += [round_to(bits, ck) for ck in c[: 1 if len(fixed) < steps else count]]
        xs = chebyshev_nodes(a, b, 401)
        return fixed, max(abs(weight(x) * (value(x) - sum(ck * x**k for k, ck in enumerate(fixed)))) for x in xs)

    # With 0 inside the interval the powers from 1 on are no Chebyshev system, and the exchange may fail.
    return min((rounded(steps) for steps in (0, careful)), key=lambda pair: pair[1])
