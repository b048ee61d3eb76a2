/** Functions of one or two numbers in float64 that JavaScript's Math does not have. Slow and plain. */
const sqrtPi = Math.sqrt(Math.PI);

/** Abramowitz and Stegun, 7.1.6: all terms have one sign. */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 400 && term !== 0; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / sqrtPi) * Math.exp(-x * x) * sum;
}

/** 7.1.14, the continued fraction, from the back; near 0 through erf. */
export function erfc(x: number): number {
  if (x < 1.5) return 1 - erf(x);
  let fraction = x;
  for (let n = 400; n > 0; n--) fraction = x + n / 2 / fraction;
  return Math.exp(-x * x) / sqrtPi / fraction;
}

/** By Newton's method, on erfc where erf is flat. */
export function erfinv(y: number): number {
  if (Number.isNaN(y) || Math.abs(y) > 1) return Number.NaN;
  if (Math.abs(y) === 1) return y * Number.POSITIVE_INFINITY;
  if (y === 0) return y;
  const target = Math.abs(y);
  // The root lies below sqrt(-log(1 - y)); from there the steps go one way.
  let x = Math.sqrt(-Math.log1p(-target));
  for (let i = 0; i < 100; i++) {
    const miss = x < 1.5 ? target - erf(x) : erfc(x) - (1 - target);
    const step = ((miss * sqrtPi) / 2) * Math.exp(x * x);
    x += step;
    if (Math.abs(step) < 1e-17 * x) break;
  }
  return Math.sign(y) * x;
}

/** Bernoulli's numbers B2, B4, ... */
const bernoulli = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510];

/** The logarithm of |gamma|: Stirling's series from 15 on, recurrence below, reflection below 1/2. */
export function lgamma(x: number): number {
  if (Number.isNaN(x)) return x;
  if (!Number.isFinite(x)) return Number.POSITIVE_INFINITY;
  if (x <= 0 && Number.isInteger(x)) return Number.POSITIVE_INFINITY;
  if (x === 1 || x === 2) return 0;
  if (x < 0.5) return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * (x - Math.round(x))))) - lgamma(1 - x);
  let product = 1;
  let z = x;
  for (; z < 15; z++) product *= z;
  const series = bernoulli.reduce((sum, b, i) => sum + b / ((2 * i + 2) * (2 * i + 1) * z ** (2 * i + 1)), 0);
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product);
}

/** The derivative of lgamma, in the same way. */
export function digamma(x: number): number {
  if (x === 0) return Object.is(x, -0) ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  if (x === Number.NEGATIVE_INFINITY || (x < 0 && Number.isInteger(x))) return Number.NaN;
  if (x < 0.5) return digamma(1 - x) - Math.PI / Math.tan(Math.PI * (x - Math.round(x)));
  let sum = 0;
  let z = x;
  for (; z < 15; z++) sum -= 1 / z;
  const series = bernoulli.reduce((acc, b, i) => acc - b / ((2 * i + 2) * z ** (2 * i + 2)), 0);
  return sum + Math.log(z) - 0.5 / z + series;
}

/** Ties go to the even neighbor. */
export function round(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  const up = rest > 0.5 || (rest === 0.5 && low % 2 !== 0);
  const whole = up ? low + 1 : low;
  return whole === 0 ? (x < 0 || Object.is(x, -0) ? -0 : 0) : whole;
}

/** The remainder of a division rounded down, with the sign of the divisor. */
export function remainder(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/** Of integers, exact: by repeated multiplication; negative powers are the whole part of the fraction. */
export function integerPower(a: number, b: number): number {
  if (b < 0) return a === 1 ? 1 : a === -1 ? (b % 2 === 0 ? 1 : -1) : 0;
  let product = 1;
  for (let i = 0; i < b; i++) product *= a;
  return product;
}

/** C's pow, where JavaScript's ** gives NaN for powers of 1. */
export const power = (a: number, b: number): number =>
  a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b;

export const sigmoid = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));
export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
/** The distribution function and the density of the standard normal. */
export const normalCdf = (x: number): number => erfc(-x / Math.SQRT2) / 2;
export const normalDensity = (x: number): number => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);

export function logaddexp(a: number, b: number): number {
  if (a === b) return a + Math.LN2;
  const high = Math.max(a, b);
  return high + Math.log1p(Math.exp(-Math.abs(a - b)));
}

/** NaN wins. */
export const maximum = (a: number, b: number): number => (a > b || Number.isNaN(a) ? a : b);
export const minimum = (a: number, b: number): number => (a < b || Number.isNaN(a) ? a : b);
