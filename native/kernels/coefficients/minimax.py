"""Minimax polynomials and rational functions whose coefficients are floating-point numbers.

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


def evaluate(c, x):
    return mp.polyval(c[::-1], x)


def alternating(errors, count):
    """Of (x, error), one extremum for each run of equal sign, and of those the `count` that reach highest."""
    extrema = [errors[0]]
    for x, e in errors[1:]:
        if (e > 0) == (extrema[-1][1] > 0):
            if abs(e) > abs(extrema[-1][1]):
                extrema[-1] = (x, e)
        else:
            extrema.append((x, e))
    while len(extrema) > count:
        extrema.pop(0 if abs(extrema[0][1]) < abs(extrema[-1][1]) else -1)
    return extrema


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
        extrema = alternating(errors, len(nodes))
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


def remez_rational(f, weight, a, b, top, bottom, rounds=12):
    """Coefficients of the numerator and of the denominator, which begins with 1: `top` and `bottom` of them."""
    count = top + bottom
    # What varies most does so near a.
    nodes, dense = ([a + (b - a) * t**3 for t in chebyshev_nodes(0, 1, n)] for n in (count, 30 * count + 1))
    table = {x: (f(x), weight(x)) for x in nodes + dense}
    p, q, level = [], [mp.mpf(1)] + [mp.mpf(0)] * (bottom - 1), mp.mpf(0)
    for _ in range(rounds):
        # Newton's method on p(x) = (f(x) -+ level / weight(x)) q(x).
        for _ in range(12):
            rows, right = [], []
            for i, x in enumerate(nodes):
                y, w = table[x]
                sign = (-1) ** i / w
                near = y - sign * level
                rows.append([x**k for k in range(top)] + [-near * x**k for k in range(1, bottom)] + [sign * evaluate(q, x)])
                right.append(near)
            solution = list(mp.lu_solve(mp.matrix(rows), mp.matrix(right)))
            p, q = solution[:top], [mp.mpf(1)] + solution[top : count - 1]
            level += solution[-1]
            if abs(solution[-1]) < abs(level) * mp.mpf(10) ** -6:
                break
        errors = [(x, table[x][1] * (table[x][0] - evaluate(p, x) / evaluate(q, x))) for x in dense]
        extrema = alternating(errors, count)
        if len(extrema) < count:
            break
        nodes = [x for x, _ in extrema]
        if max(abs(e) for _, e in errors) < min(abs(e) for _, e in extrema) * mp.mpf("1.02"):
            break
    return p, q


def fit_rational(f, weight, a, b, top, bottom, bits):
    """Numerator and denominator with coefficients of `bits` bits: the numerator is fitted again to the rounded denominator."""
    a, b = mp.mpf(a), mp.mpf(b)
    q = [round_to(bits, c) for c in remez_rational(f, weight, a, b, top, bottom)[1]]
    p, _ = fit(lambda x: f(x) * evaluate(q, x), lambda x: weight(x) / evaluate(q, x), a, b, top, bits)
    xs = [a + (b - a) * t**3 for t in chebyshev_nodes(0, 1, 1001)]
    return p, q, max(abs(weight(x) * (f(x) - evaluate(p, x) / evaluate(q, x))) for x in xs)
