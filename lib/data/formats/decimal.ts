/** Numbers in the bytes of a text. */

/** Powers of ten that float64 represents exactly. */
const powers = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
/** So many digits always make an exact integer. */
const exactDigits = 15;
const longest = 400;

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/**
 * The decimal number that fills the bytes between two positions, rounded correctly; NaN for anything else, such as text,
 * hexadecimal digits or nothing.
 * @source Clinger, How to read floating point numbers accurately, 1990: an exact integer times or by an exact power of
 * ten rounds once.
 */
export function decimal(bytes: Buffer, from: number, to: number): number {
  let at = from;
  const sign = bytes[at];
  if (sign === 0x2d || sign === 0x2b) at++;
  const first = at;
  let digits = 0;
  let integer = 0;
  for (; at < to && isDigit(bytes[at]!); at++) {
    integer = integer * 10 + (bytes[at]! - 0x30);
    if (integer > 0) digits++;
  }
  let seen = at - first;
  let exponent = 0;
  if (at < to && bytes[at] === 0x2e) {
    const point = ++at;
    for (; at < to && isDigit(bytes[at]!); at++) {
      integer = integer * 10 + (bytes[at]! - 0x30);
      if (integer > 0) digits++;
    }
    exponent = point - at;
    seen -= exponent;
  }
  if (seen === 0) return Number.NaN;
  if (at === to && digits <= exactDigits && exponent >= -22) {
    const value = exponent === 0 ? integer : integer / powers[-exponent]!;
    return sign === 0x2d ? -value : value;
  }
  return to - from > longest ? Number.NaN : rounded(bytes, at, from, to);
}

/** The same of a number with an exponent, or with more digits; `at` is behind the digits. */
function rounded(bytes: Buffer, at: number, from: number, to: number): number {
  let end = at;
  if (end < to) {
    if ((bytes[end]! | 0x20) !== 0x65) return Number.NaN;
    end++;
    if (bytes[end] === 0x2d || bytes[end] === 0x2b) end++;
    if (end === to) return Number.NaN;
    for (; end < to; end++) if (!isDigit(bytes[end]!)) return Number.NaN;
  }
  return Number(bytes.toString("latin1", from, to));
}
