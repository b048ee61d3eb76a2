"""Prints the polynomials of the maths kernels: python3 fit.py > ../math-coefficients-inl.h

Each line below is one function, the interval it is fitted on, the weight that turns its error into a relative error of
the result, and how many coefficients float and double take. Needs mpmath.
"""

import sys

import mpmath as mp

from minimax import fit, fit_rational, round_to

mp.mp.dps = 60
LN2 = mp.log(2)
TINY = mp.mpf(10) ** -12  # where a quotient of two vanishing quantities is not evaluated


def away(f, limit):
    """f, or its limit at 0."""
    return lambda x: mp.mpf(limit) if abs(x) < TINY else f(x)


def of_square(f):
    """f(x) as a function of x^2."""
    return lambda z: f(mp.sqrt(z))


def scaled_erfc(x):
    """exp(x^2) erfc(x)."""
    return mp.exp(x * x) * mp.erfc(x)


def tail(u):
    """exp(x^2 / 2) Phi(-x) (x + 5) as a function of u = (x - 5) / (x + 5)."""
    x = 5 * (1 + u) / (1 - u)
    return scaled_erfc(x / mp.sqrt(2)) / 2 * (x + 5)


def tail_rest(x):
    """What sqrt(2 pi), rounded to float, exceeds (1 / t - 2) / x by, with t = exp(x^2 / 2) Phi(-x)."""
    root = mp.sqrt(2 * mp.pi)
    return round_to(24, root) - (4 / root if x < TINY else (2 / scaled_erfc(x / mp.sqrt(2)) - 2) / x)


def erfinv_ratio(w):
    """erfinv(x) / x as a function of w = -log(1 - x^2), by Newton's method on log(erfc(y)) = log(1 - x)."""
    e = mp.exp(-w)
    x = mp.sqrt(-mp.expm1(-w))
    distance = e / (1 + x)  # 1 - x
    target = mp.log(distance)
    y = mp.sqrt(w) if w > 1 else mp.sqrt(mp.pi) / 2 * x
    for _ in range(60):
        c = mp.erfc(y)
        step = (mp.log(c) - target) * c * mp.sqrt(mp.pi) / 2 * mp.exp(y * y)
        y += step
        if abs(step) < abs(y) * mp.mpf(10) ** -30:
            break
    return y / x


SQRT2 = mp.sqrt(2)
ONE = lambda x: mp.mpf(1)

POLYNOMIALS = [
    # name, what it is, f, weight, a, b, count for float, count for double
    ("Exp", "(exp(r) - 1 - r) / r^2, |r| <= log(2) / 2",
     away(lambda r: (mp.expm1(r) - r) / (r * r), 0.5), away(lambda r: r * r / abs(mp.expm1(r)), 0),
     -LN2 / 2, LN2 / 2, 6, 11),
    ("Log", "(log((1 + s) / (1 - s)) / s - 2) / s^2 in s^2, 1 / sqrt(2) <= (1 + s) / (1 - s) <= sqrt(2)",
     away(of_square(lambda s: (2 * mp.atanh(s) / s - 2) / (s * s)), mp.mpf(2) / 3), lambda z: z,
     0, ((SQRT2 - 1) / (SQRT2 + 1)) ** 2, 3, 7),
    ("LogTail", "the same less its first term, over s^2: for the double-word logarithm",
     away(of_square(lambda s: ((2 * mp.atanh(s) / s - 2) / (s * s) - mp.mpf(2) / 3) / (s * s)), mp.mpf(2) / 5),
     lambda z: z * z, 0, ((SQRT2 - 1) / (SQRT2 + 1)) ** 2, 0, 8),
    ("Sin", "(sin(r) / r - 1) / r^2 in r^2, |r| <= pi / 4",
     away(of_square(lambda r: (mp.sin(r) / r - 1) / (r * r)), -mp.mpf(1) / 6),
     away(of_square(lambda r: r ** 3 / mp.sin(r)), 0), 0, (mp.pi / 4) ** 2 * mp.mpf("1.001"), 3, 6),
    ("Cos", "(cos(r) - 1 + r^2 / 2) / r^4 in r^2, |r| <= pi / 4",
     away(of_square(lambda r: (mp.cos(r) - 1 + r * r / 2) / r ** 4), mp.mpf(1) / 24),
     of_square(lambda r: r ** 4 / mp.cos(r)), 0, (mp.pi / 4) ** 2 * mp.mpf("1.001"), 3, 6),
    ("Erf", "erf(x) / x - 1 in x^2, |x| <= 0.9",
     away(of_square(lambda x: mp.erf(x) / x - 1), 2 / mp.sqrt(mp.pi) - 1),
     away(of_square(lambda x: x / mp.erf(x)), mp.sqrt(mp.pi) / 2), 0, mp.mpf("0.81"), 7, 13),
    ("Tail", "exp(x^2 / 2) Phi(-x) (x + 5) in (x - 5) / (x + 5), x >= 0",
     tail, lambda u: 1 / tail(u), -1, mp.mpf("0.79"), 0, 25),
    ("Asin", "(asin(x) / x - 1) / x^2 in x^2, |x| <= 1 / 2",
     away(of_square(lambda x: (mp.asin(x) / x - 1) / (x * x)), mp.mpf(1) / 6),
     away(of_square(lambda x: x ** 3 / mp.asin(x)), 0), 0, mp.mpf("0.25"), 0, 12),
    ("Atan", "(atan(x) / x - 1) / x^2 in x^2, |x| <= tan(pi / 8)",
     away(of_square(lambda x: (mp.atan(x) / x - 1) / (x * x)), -mp.mpf(1) / 3),
     away(of_square(lambda x: x ** 3 / mp.atan(x)), 0), 0, mp.mpf("0.1717"), 0, 11),
    ("LogGamma", "log(gamma(2 + d)) / (d (1 + d)), -3 / 4 <= d <= 1 / 4",
     away(lambda d: mp.loggamma(2 + d) / (d * (1 + d)), 1 - mp.euler), ONE,
     mp.mpf("-0.75"), mp.mpf("0.25"), 0, 21),
    ("Stirling", "(log(gamma(x)) - (x - 1 / 2) log(x) + x - log(2 pi) / 2) x in x^-2, x >= 8",
     away(of_square(lambda t: (mp.loggamma(1 / t) - (1 / t - mp.mpf(1) / 2) * mp.log(1 / t) + 1 / t
                               - mp.log(2 * mp.pi) / 2) / t), mp.mpf(1) / 12),
     ONE, 0, mp.mpf(1) / 64, 0, 7),
    ("Digamma", "(log(x) - 1 / (2 x) - digamma(x)) x^2 in x^-2, x >= 6",
     away(of_square(lambda t: (mp.log(1 / t) - t / 2 - mp.digamma(1 / t)) / (t * t)), mp.mpf(1) / 12),
     ONE, 0, mp.mpf(1) / 36, 0, 10),
    ("ErfinvMiddle", "erfinv(x) / x in w - 2, w = -log(1 - x^2) <= 4",
     lambda d: erfinv_ratio(max(d + 2, mp.mpf(10) ** -20)), ONE, -2, 2, 0, 8),
    ("ErfinvTail", "erfinv(x) / x in v - 4, v = sqrt(w), 2 <= v <= 6.2",
     lambda d: erfinv_ratio((d + 4) ** 2), ONE, -2, mp.mpf("2.2"), 0, 12),
]

# Numerator and denominator, for float alone; the denominator begins with 1.
RATIONALS = [
    # names, what it is, f, weight, a, b, counts
    (("TailTop", "TailBottom"), "v(x), 0 <= x <= 15, numerator and denominator, where exp(x^2 / 2) Phi(-x) = 1 / (2 + x (sqrt(2 pi) - v(x)))",
     tail_rest, lambda x: (x + mp.mpf("0.001")) * scaled_erfc(x / SQRT2) / 2, 0, 15, (4, 5)),
]

CONSTANTS = [
    ("Log2E", 1 / LN2), ("InvHalfPi", 2 / mp.pi), ("InvLn10", 1 / mp.log(10)),
    ("TwoOverSqrtPi", 2 / mp.sqrt(mp.pi)), ("InvSqrt2Pi", 1 / mp.sqrt(2 * mp.pi)), ("Sqrt2Pi", mp.sqrt(2 * mp.pi)),
    ("Sqrt2", SQRT2), ("SqrtHalf", 1 / SQRT2), ("HalfLog2Pi", mp.log(2 * mp.pi) / 2),
]

# Sums of words, each the nearest to what the words before it leave; the head of the first kind of ln 2 has few bits, so
# that its product with an exponent is exact.
WORDS = [
    ("Ln2", LN2, (24, 53), 2), ("Ln2Short", LN2, (16, 42), 2), ("Pi", mp.pi, (24, 53), 3), ("Log10Of2", mp.log10(2), (12, 42), 2),
    ("Log2EWords", 1 / LN2, (24, 53), 2), ("InvLn10Words", 1 / mp.log(10), (24, 53), 2), ("TwoThirds", mp.mpf(2) / 3, (24, 53), 2),
    ("GeluLinear", 2 * mp.sqrt(2 / mp.pi), (24, 53), 2),
    ("GeluCubic", 2 * mp.sqrt(2 / mp.pi) * mp.mpf("0.044715"), (24, 53), 2),
]


def literal(value, bits):
    if value == 0:
        return "0.0f" if bits == 24 else "0.0"
    mantissa, exponent = mp.frexp(value)
    scaled = int(mp.nint(mantissa * mp.mpf(2) ** bits))
    shift = bits
    while scaled % 2 == 0:
        scaled //= 2
        shift -= 1
    return f"{'-' if scaled < 0 else ''}0x{abs(scaled):x}p{int(exponent) - shift:+d}{'f' if bits == 24 else ''}"


def array(name, type_, values, bits):
    print(f"template <>\nconstexpr {type_} k{name}<{type_}>[] = {{")
    line = "   "
    for v in values:
        item = " " + literal(v, bits) + ","
        if len(line) + len(item) > 120:
            print(line)
            line = "   "
        line += item
    print(line[:-1] + "};")


def report(name, type_, error):
    print(f"{name} {type_}: {mp.nstr(error, 4)} = 2^{mp.nstr(mp.log(error, 2), 5)}", file=sys.stderr)


TYPES = (("float", 24, 0), ("double", 53, 1))


def main():
    only = set(sys.argv[1:])
    print("// Made by coefficients/fit.py, which says what each polynomial is and how it was fitted. Lowest power first.")
    print("// clang-format off\n#pragma once\n\nnamespace nabla::NABLA_ISA {\nnamespace {\n")
    for name, value in CONSTANTS:
        print(f"template <class T>\nconstexpr T k{name} = static_cast<T>({literal(round_to(53, value), 53)});")
    for name, value, head_bits, count in WORDS:
        print(f"\ntemplate <class T>\nconstexpr T k{name}[{count}] = {{}};")
        for type_, bits, which in TYPES:
            words, rest = [], value
            for k in range(count):
                words.append(round_to(head_bits[which] if k == 0 else bits, rest))
                rest -= words[-1]
            array(name, type_, words, bits)
    for name, text, f, weight, a, b, *counts in POLYNOMIALS:
        if only and name not in only:
            continue
        print(f"\n// {text}")
        print(f"template <class T>\nconstexpr T k{name}[1] = {{}};")
        for type_, bits, which in TYPES:
            if counts[which]:
                c, error = fit(f, weight, a, b, counts[which], bits)
                report(name, type_, error)
                array(name, type_, c, bits)
    for names, text, f, weight, a, b, counts in RATIONALS:
        if only and not only & set(names):
            continue
        *fractions, error = fit_rational(f, weight, a, b, *counts, 24)
        report(names[0], "float", error)
        print(f"\n// {text}")
        for name, c in zip(names, fractions):
            print(f"template <class T>\nconstexpr T k{name}[1] = {{}};")
            array(name, "float", c, 24)
    print("\n}  // namespace\n}  // namespace nabla::NABLA_ISA")


if __name__ == "__main__":
    main()
