/** einsum, composed of views and matrix products, which have gradients. */
import { refuse } from "../core/arguments.js";
import { promote } from "../core/dtype.js";
import { fail, named } from "../core/errors.js";
import { numel, type Shape, showShape } from "../core/shape.js";
import { roundedOnce } from "../engine/float32-fallback.js";
import { needTensor } from "../engine/operand.js";
import type { Tensor } from "../tensor/tensor.js";

/** A tensor with a label for each dimension: a letter, or -1, -2, ... for those of an ellipsis, from the last. */
interface Term {
  readonly x: Tensor;
  readonly labels: readonly Label[];
}
type Label = string | number;

const op = "einsum";
const wrong = (fact: string, equation: string): never =>
  fail("ERR_ARGUMENT", op, fact, 'an equation such as "ij,jk->ik" or "...ij->...ji"', JSON.stringify(equation));

/** The labels of one term of an equation; its ellipsis stands for `dots` dimensions. */
function labelsOf(text: string, dots: number, equation: string): Label[] {
  const [, before, ellipsis, after] =
    /^([A-Za-z]*)(\.\.\.)?([A-Za-z]*)$/.exec(text) ?? wrong(`bad term "${text}"`, equation);
  const middle = ellipsis === undefined ? [] : Array.from({ length: dots }, (_, i) => i - dots);
  return [...before!, ...middle, ...after!];
}

const hasDots = (text: string): boolean => text.includes("...");
const lettersIn = (text: string): number => text.replace("...", "").length;

/** Without an explicit result: the ellipsis, then the letters that occur once, in alphabetical order. */
function implied(texts: readonly string[]): string {
  const letters = texts.join("").replaceAll(".", "");
  const once = [...letters].filter((letter) => letters.indexOf(letter) === letters.lastIndexOf(letter)).sort();
  return `${texts.some(hasDots) ? "..." : ""}${once.join("")}`;
}

/** The diagonal of dimensions with the same label. */
function withoutRepeats({ x, labels }: Term): Term {
  const first = labels.findIndex((label, i) => labels.indexOf(label) !== i);
  if (first < 0) return { x, labels };
  const earlier = labels.indexOf(labels[first]!);
  const n = x.shape[first]!;
  if (x.shape[earlier] !== n)
    fail("ERR_SHAPE", op, `the sizes of ${labels[first]} differ`, String(x.shape[earlier]), String(n));
  const flat = x.movedim([earlier, first], [-2, -1]).flatten(-2);
  const others = labels.filter((_, i) => i !== earlier && i !== first);
  return withoutRepeats({ x: flat.at(`..., ::${n + 1}`), labels: [...others, labels[first]!] });
}

/** The term summed over the labels that neither the result nor other terms need. */
function reduced({ x, labels }: Term, needed: (label: Label) => boolean): Term {
  const dims = labels.flatMap((label, i) => (needed(label) ? [] : [i]));
  return dims.length === 0 ? { x, labels } : { x: x.sum(dims), labels: labels.filter(needed) };
}

const ordered = ({ x, labels }: Term, order: readonly Label[]): Tensor =>
  x.permute(order.map((label) => labels.indexOf(label)));

/** Multiplies two terms, summing over labels that are not needed any more. */
function contracted(a: Term, b: Term, needed: (label: Label) => boolean, sizes: ReadonlyMap<Label, number>): Term {
  const left = reduced(a, (label) => needed(label) || b.labels.includes(label));
  const right = reduced(b, (label) => needed(label) || a.labels.includes(label));
  const inBoth = left.labels.filter((label) => right.labels.includes(label));
  const batch = inBoth.filter(needed);
  const summed = inBoth.filter((label) => !needed(label));
  const rows = left.labels.filter((label) => !inBoth.includes(label));
  const columns = right.labels.filter((label) => !inBoth.includes(label));
  const labels = [...batch, ...rows, ...columns];
  const shared = batch.length;
  const x = ordered(left, [...batch, ...rows, ...summed]);
  const y = ordered(right, [...batch, ...summed, ...columns]);
  const front = (z: Tensor): Shape => z.shape.slice(0, shared);
  const outer = { x: x.shape.slice(shared, shared + rows.length), y: y.shape.slice(shared + summed.length) };
  if (summed.length === 0) {
    const stretched = x.reshape([...x.shape, ...columns.map(() => 1)]);
    return { x: stretched.mul(y.reshape([...front(y), ...rows.map(() => 1), ...outer.y])), labels };
  }
  // A letter may have size 1 in one term and n in another, as in broadcasting.
  const depth = summed.map((label) => sizes.get(label)!);
  const wide = x.expand([...front(x), ...outer.x, ...depth]);
  const tall = y.expand([...front(y), ...depth, ...outer.y]);
  const k = numel(depth);
  const product = wide.reshape([...front(x), numel(outer.x), k]).matmul(tall.reshape([...front(y), k, numel(outer.y)]));
  return { x: product.reshape([...front(product), ...outer.x, ...outer.y]), labels };
}

/** The pair with the smallest product; the first among equals. */
function cheapest(
  terms: readonly Term[],
  neededBeside: (i: number, k: number) => (label: Label) => boolean,
  sizes: ReadonlyMap<Label, number>,
): [number, number] {
  let best: [number, number] = [0, 1];
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < terms.length; i++)
    for (let k = i + 1; k < terms.length; k++) {
      const kept = new Set([...terms[i]!.labels, ...terms[k]!.labels].filter(neededBeside(i, k)));
      const size = numel([...kept].map((label) => sizes.get(label)!));
      if (size < least) [best, least] = [[i, k], size];
    }
  return best;
}

/**
 * Einstein summation: letters of the result are kept, the others are summed over; a letter that occurs twice in a term
 * takes the diagonal; `...` stands for any number of dimensions, which broadcast. Without `->` the result has the
 * letters that occur once, in alphabetical order. With more than two operands, the pair with the smallest product is
 * multiplied first.
 * @shape as the equation says. @dtype promoted.
 * @gradient an einsum of the incoming gradient with the other operands.
 * @throws ERR_ARGUMENT for an invalid equation or a wrong number of operands; ERR_SHAPE if a letter has two sizes.
 * @example einsum("ij,jk->ik", tensor([[1, 2]]), tensor([[3], [4]])).toArray(); // [[11]]
 */
export function einsum(equation: string, ...operands: Tensor[]): Tensor {
  if (typeof equation !== "string") refuse(op, "the equation", "a string", equation);
  const [inputs, result, ...more] = equation.replaceAll(/\s/g, "").split("->");
  if (more.length > 0) wrong('more than one "->"', equation);
  const texts = inputs!.split(",");
  if (texts.length !== operands.length)
    fail(
      "ERR_ARGUMENT",
      op,
      `${JSON.stringify(equation)} has another number of terms`,
      `${texts.length} tensors`,
      String(operands.length),
    );
  const sizes = new Map<Label, number>();
  let dots = 0;
  const terms = texts.map((text, i): Term => {
    const x = needTensor(op, operands[i], `operand ${i}`);
    const extra = x.ndim - lettersIn(text);
    const labels = labelsOf(text, Math.max(extra, 0), equation);
    if (extra < 0 || (extra > 0 && !hasDots(text)))
      fail(
        "ERR_SHAPE",
        op,
        `the term "${text}" does not fit its operand`,
        `rank ${lettersIn(text)}`,
        showShape(x.shape),
      );
    if (hasDots(text)) dots = Math.max(dots, extra);
    const term = withoutRepeats({ x, labels });
    term.labels.forEach((label, dim) => {
      const [known, size] = [sizes.get(label) ?? 1, term.x.shape[dim]!];
      if (known !== size && known !== 1 && size !== 1)
        fail(
          "ERR_SHAPE",
          op,
          `the sizes of ${typeof label === "number" ? "..." : label} differ`,
          String(known),
          String(size),
        );
      sizes.set(label, known === 1 ? size : known);
    });
    return term;
  });
  const wanted = labelsOf(result ?? implied(texts), dots, equation);
  for (const label of wanted) {
    if (typeof label === "string" && !sizes.has(label)) wrong(`${label} is in the result alone`, equation);
    if (wanted.indexOf(label) !== wanted.lastIndexOf(label)) wrong(`${label} is in the result twice`, equation);
  }
  const type = terms.map(({ x }) => x.type).reduce(promote).name;
  const product = (...operands: readonly Tensor[]): Tensor =>
    summed(
      terms.map(({ labels }, i) => ({ x: operands[i]!, labels })),
      wanted,
      sizes,
    );
  return named(op, () =>
    roundedOnce(
      terms.map(({ x }) => x),
      product,
    ).to(type),
  );
}

/** Multiplies all terms, pair by pair. */
function summed(terms: Term[], wanted: readonly Label[], sizes: ReadonlyMap<Label, number>): Tensor {
  while (terms.length > 1) {
    const beside = (i: number, k: number) => {
      const others = new Set([...wanted, ...terms.flatMap(({ labels }, at) => (at === i || at === k ? [] : labels))]);
      return (label: Label) => others.has(label);
    };
    const [i, k] = cheapest(terms, beside, sizes);
    const made = contracted(terms[i]!, terms[k]!, beside(i, k), sizes);
    terms.splice(k, 1);
    terms.splice(i, 1, made);
  }
  return ordered(
    reduced(terms[0]!, (label) => wanted.includes(label)),
    wanted,
  );
}
