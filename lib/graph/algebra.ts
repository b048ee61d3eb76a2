/** Expressions that are simplified as they are built: like terms and like factors are combined. */
import { fail } from "../core/errors.js";
import { formatNumber } from "./format.js";

/** An atom, identified by its text. */
interface Atom {
  readonly text: string;
  /** Its precedence: a sum needs brackets in a product. */
  readonly kind: "symbol" | "call" | "sum" | "power";
}
interface Power {
  readonly base: Atom;
  readonly exponent: number;
}
interface Product {
  readonly factor: number;
  readonly powers: readonly Power[];
}
/** A sum of products; none is 0. */
export type Expression = readonly Product[];

const longest = 20_000;

function atom(text: string, kind: Atom["kind"]): Expression {
  if (text.length > longest)
    fail("ERR_ARGUMENT", "formula", "the formula is too long to read", `at most ${longest} characters`);
  return [{ factor: 1, powers: [{ base: { text, kind }, exponent: 1 }] }];
}

export const number = (value: number): Expression => (value === 0 ? [] : [{ factor: value, powers: [] }]);
export const symbol = (name: string): Expression => atom(name, "symbol");
export const call = (name: string, args: readonly string[]): Expression => atom(`${name}(${args.join(", ")})`, "call");

/** An indexed part of an expression. */
export const indexed = (x: Expression, index: string): Expression => atom(`${bracketed(x)}[${index}]`, "call");

/** A condition: 1 where it holds, else 0. */
export const condition = (text: string): Expression => atom(text, "sum");

/** The value of an expression without symbols. */
export function knownValue(x: Expression): number | null {
  if (x.length === 0) return 0;
  return x.length === 1 && x[0]!.powers.length === 0 ? x[0]!.factor : null;
}

const keyOf = ({ powers }: Product): string =>
  powers
    .map(({ base, exponent }) => `${base.text}^${exponent}`)
    .sort()
    .join("*");

export function add(...parts: readonly Expression[]): Expression {
  const terms = new Map<string, Product>();
  for (const term of parts.flat()) {
    const key = keyOf(term);
    terms.set(key, { powers: term.powers, factor: term.factor + (terms.get(key)?.factor ?? 0) });
  }
  return [...terms.values()].filter(({ factor }) => factor !== 0);
}

const scale = (x: Expression, by: number): Expression =>
  by === 0 ? [] : x.map(({ factor, powers }) => ({ factor: factor * by, powers }));

/** A sum of several terms as one factor. */
const whole = (x: Expression): Product => (x.length === 1 ? x[0]! : atom(show(x), "sum")[0]!);

export function multiply(a: Expression, b: Expression): Expression {
  const [x, y] = [knownValue(a), knownValue(b)];
  if (x !== null) return scale(b, x);
  if (y !== null) return scale(a, y);
  const [left, right] = [whole(a), whole(b)];
  const powers = new Map<string, Power>();
  for (const { base, exponent } of [...left.powers, ...right.powers])
    powers.set(base.text, { base, exponent: exponent + (powers.get(base.text)?.exponent ?? 0) });
  return [
    { factor: left.factor * right.factor, powers: [...powers.values()].filter(({ exponent }) => exponent !== 0) },
  ];
}

export function power(x: Expression, exponent: number): Expression {
  const value = knownValue(x);
  if (value !== null) return number(value ** exponent);
  if (exponent === 0) return number(1);
  const { factor, powers } = whole(x);
  // sqrt(x^2) is not x.
  const apart = Number.isInteger(exponent) || (factor === 1 && powers.length === 1 && powers[0]!.exponent === 1);
  const inner = apart ? { factor, powers } : atom(show(x), "power")[0]!;
  return [
    {
      factor: inner.factor ** exponent,
      powers: inner.powers.map((p) => ({ base: p.base, exponent: p.exponent * exponent })),
    },
  ];
}

/** A power whose exponent is not a number. */
export const powerOf = (x: Expression, exponent: Expression): Expression =>
  atom(`${bracketed(x)}^${bracketed(exponent)}`, "power");

const isPlain = (x: Expression): boolean =>
  x.length === 1 &&
  x[0]!.factor === 1 &&
  x[0]!.powers.length === 1 &&
  x[0]!.powers[0]!.exponent === 1 &&
  ["symbol", "call"].includes(x[0]!.powers[0]!.base.kind);
const bracketed = (x: Expression): string => (isPlain(x) || (knownValue(x) ?? -1) >= 0 ? show(x) : `(${show(x)})`);

function showPower({ base, exponent }: Power): string {
  if (exponent === 0.5) return `sqrt(${base.text})`;
  const text = base.kind === "sum" || (base.kind === "power" && exponent !== 1) ? `(${base.text})` : base.text;
  return exponent === 1 ? text : `${text}^${formatNumber(exponent)}`;
}

const rank = ({ base }: Power): string => (base.kind === "symbol" ? `0${base.text}` : "1");

/** A product without its sign: numbers, then symbols, then the rest; negative powers in the denominator. */
function showProduct({ factor, powers }: Product): string {
  const size = Math.abs(factor);
  const sorted = [...powers].sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
  const above = sorted.filter(({ exponent }) => exponent > 0).map(showPower);
  const below = sorted.filter(({ exponent }) => exponent < 0).map((p) => showPower({ ...p, exponent: -p.exponent }));
  const inverse = Math.round(1 / size);
  const inexact = Number(formatNumber(size)) !== size;
  if (size < 1 && (inexact || below.length > 0) && inverse <= 1000 && Math.abs(inverse * size - 1) < 1e-12)
    below.unshift(String(inverse));
  else if (size !== 1 || above.length === 0) above.unshift(formatNumber(size));
  const top = above.length === 0 ? "1" : above.join("*");
  if (below.length === 0) return top;
  return `${top}/${below.length === 1 ? below[0] : `(${below.join("*")})`}`;
}

export function show(x: Expression): string {
  if (x.length === 0) return "0";
  // Numbers last, but something positive first.
  const terms = [...x.filter(({ powers }) => powers.length > 0), ...x.filter(({ powers }) => powers.length === 0)];
  const positive = terms.findIndex(({ factor }) => factor > 0);
  if (positive > 0) terms.unshift(...terms.splice(positive, 1));
  return terms
    .map((term, i) => {
      const sign = term.factor < 0 || Object.is(term.factor, -0) ? "-" : "+";
      return `${i === 0 ? (sign === "-" ? "-" : "") : ` ${sign} `}${showProduct(term)}`;
    })
    .join("");
}
