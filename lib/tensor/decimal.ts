/** `d.ddd × 10^exponent`, digits without the point and without a sign. */
interface Decimal {
  readonly digits: string;
  readonly exponent: number;
}

/** The number of significant bits of a stored number, which determines its shortest text. */
export type FloatWidth = 16 | "bf16" | 32 | 64;

/** Rounds a nonnegative x to nearest, ties to even, to the given bits and least exponent. */
function toBits(x: number, bits: number, least: number): number {
  if (x === 0 || !Number.isFinite(x)) return x;
  const unit = 2 ** (Math.max(Math.floor(Math.log2(x)), least) - bits + 1);
  const whole = Math.floor(x / unit);
  const rest = x / unit - whole;
  return (rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? whole + 1 : whole) * unit;
}

/** Rounding of a nonnegative number to a format. */
export function rounding(width: FloatWidth): (x: number) => number {
  if (width === 64) return (x) => x;
  if (width === 32) return Math.fround;
  return width === 16 ? (x) => toBits(x, 11, -14) : (x) => toBits(x, 8, -126);
}

function parse(exponential: string): Decimal {
  const [mantissa = "", exponent] = exponential.split("e");
  return { digits: mantissa.replace(".", ""), exponent: Number(exponent) };
}

/** The fewest digits that parse back to `x` (nonnegative) in its format. */
function shortest(x: number, width: FloatWidth): Decimal {
  if (width === 64) return parse(x.toExponential());
  const round = rounding(width);
  for (let places = 0; places < 8; places++) {
    const near = rounded(x, places);
    // Below a power of two the spacing of floats halves, so the digits may only parse back from above.
    const above = { digits: String(Number(near.digits) + 1), exponent: near.exponent };
    for (const { digits, exponent } of [near, above]) {
      if (round(Number(`${digits}e${exponent - places}`)) === x) return { digits, exponent };
    }
  }
  return rounded(x, 8);
}

/** `x` with `places` digits after the first, ties to even. */
function rounded(x: number, places: number): Decimal {
  const { digits, exponent } = parse(x.toExponential(places));
  const tie = isTie(x, places - exponent);
  return { digits: tie ? toEven(digits) : digits, exponent };
}

/** Whether `x` lies exactly halfway between two decimals with `places` digits after the point. */
function isTie(x: number, places: number): boolean {
  if (places >= 0) return Math.abs((x * 2 ** (places + 1)) % 2) === 1;
  const unit = 10 ** -places;
  return places >= -22 && x % unit === unit / 2;
}

/** JavaScript rounds a tie up; IEEE and NumPy round it to the even digit. */
function toEven(roundedUp: string): string {
  const last = Number(roundedUp.at(-1));
  return last % 2 === 0 ? roundedUp : roundedUp.slice(0, -1) + (last - 1);
}

const trimZeros = (digits: string) => digits.replace(/0+$/, "");
const sign = (x: number) => (x < 0 || Object.is(x, -0) ? "-" : "");

/** `12.25`, `3.` or `0.1`: at most `precision` digits after the point, as many as `x` needs, no trailing zeros. */
export function positional(x: number, precision: number, width: FloatWidth): string {
  const magnitude = Math.abs(x);
  const { digits, exponent } = shortest(magnitude, width);
  let whole: string;
  let fraction: string;
  if (digits.length - 1 - exponent > precision) {
    [whole = "", fraction = ""] = magnitude.toFixed(precision).split(".");
    if (isTie(magnitude, precision)) [whole = "", fraction = ""] = splitAt(toEven(whole + fraction), whole.length);
  } else {
    const padded = exponent < 0 ? "0".repeat(-exponent) + digits : digits.padEnd(exponent + 1, "0");
    [whole = "", fraction = ""] = splitAt(padded, Math.max(exponent, 0) + 1);
  }
  return `${sign(x)}${whole}.${trimZeros(fraction)}`;
}

function splitAt(text: string, index: number): [string, string] {
  return [text.slice(0, index), text.slice(index)];
}

/** The fewest digits after the first that `x` needs in scientific notation, at most `precision`. */
export function scientificDigits(x: number, precision: number, width: FloatWidth): number {
  const { digits } = shortest(Math.abs(x), width);
  return digits.length - 1 <= precision
    ? digits.length - 1
    : trimZeros(rounded(Math.abs(x), precision).digits).length - 1;
}

/** `1.5e-09` with exactly `places` digits after the point and at least `exponentDigits` in the exponent. */
export function scientific(x: number, places: number, width: FloatWidth, exponentDigits = 2): string {
  const magnitude = Math.abs(x);
  const short = shortest(magnitude, width);
  const { digits, exponent } = short.digits.length - 1 === places ? short : rounded(magnitude, places);
  const power = String(Math.abs(exponent)).padStart(exponentDigits, "0");
  return `${sign(x)}${digits[0]}.${digits.slice(1)}e${exponent < 0 ? "-" : "+"}${power}`;
}
