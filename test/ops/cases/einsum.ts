import * as nb from "nabla";
import { type Arr, build, count, indices, map } from "../../reference/array.js";
import type { Case, Input, Sample, Wrong } from "./case.js";
import { results } from "./elementwise.js";

type Shapes = readonly (readonly number[])[];

/** The sum over all values of all labels; labels are strings, those of an ellipsis counted from its last dimension. */
function reference(equation: string, xs: readonly Arr[]): { out: Arr; terms: number } {
  const [inputs, result] = equation.replaceAll(" ", "").split("->") as [string, string];
  const labelsOf = (text: string, dots: number): string[] => {
    const [before, after] = text.includes("...") ? (text.split("...") as [string, string]) : [text, ""];
    const middle = text.includes("...") ? Array.from({ length: dots }, (_, i) => `.${dots - i}`) : [];
    return [...before, ...middle, ...after];
  };
  const terms = inputs
    .split(",")
    .map((text, i) => labelsOf(text, xs[i]!.shape.length - text.replace("...", "").length));
  const dots = Math.max(0, ...terms.map((labels) => labels.filter((label) => label.startsWith(".")).length));
  const wanted = labelsOf(result, dots);
  const sizes = new Map<string, number>();
  terms.forEach((labels, i) => {
    labels.forEach((label, d) => {
      sizes.set(label, Math.max(xs[i]!.shape[d]!, sizes.get(label) === 1 ? 0 : (sizes.get(label) ?? 0)));
    });
  });
  // An empty dimension stays empty beside one of size 1.
  terms.forEach((labels, i) => {
    labels.forEach((label, d) => {
      if (xs[i]!.shape[d] === 0) sizes.set(label, 0);
    });
  });
  const summed = [...sizes.keys()].filter((label) => !wanted.includes(label));
  const all = indices(summed.map((label) => sizes.get(label)!));
  const element = (x: Arr, labels: readonly string[], at: ReadonlyMap<string, number>): number =>
    x.data[labels.reduce((sum, label, d) => sum * x.shape[d]! + (x.shape[d] === 1 ? 0 : at.get(label)!), 0)]!;
  const out = build(
    wanted.map((label) => sizes.get(label)!),
    (index) =>
      all.reduce((sum, inner) => {
        const at = new Map([
          ...wanted.map((label, d) => [label, index[d]!] as const),
          ...summed.map((label, d) => [label, inner[d]!] as const),
        ]);
        return sum + xs.reduce((product, x, i) => product * element(x, terms[i]!, at), 1);
      }, 0),
  );
  return { out, terms: all.length };
}

function sample(equation: string, ...shapes: Shapes): Sample {
  const zeros = shapes.map((shape) => build(shape, () => 0));
  return {
    label: `${equation} of ${shapes.map((shape) => `[${shape}]`).join(" ")}`,
    shapes,
    call: (xs) => nb.einsum(equation, ...xs),
    reference: (xs) => reference(equation, xs).out,
    scale: (xs) =>
      reference(
        equation,
        xs.map((x) => map(Math.abs, x)),
      ).out,
    terms: count(shapes[0]!) < 10_000 ? reference(equation, zeros).terms + shapes.length : 1000,
  };
}

function einsum(inputs: number, samples: readonly Sample[], large: Sample, errors: readonly Wrong[] = []): Case {
  return {
    inputs: Array.from({ length: inputs }, (_, i): Input => ({ name: `operand ${i}`, domain: [-2, 2] })),
    dtypes: ["float32", "float64", "int32", "int64"],
    ...(inputs === 1 ? { others: "without a product, every dtype is taken: those of two operands are tried" } : {}),
    result: results.same,
    samples,
    large,
    accuracy: "tree",
    errors,
    exempt: {
      numbers: "it takes tensors",
      decomposition: "it is made of other ops: the value law says the formula",
      ...(errors.length === 0 ? { errors: "those of two operands" } : {}),
    },
  };
}

const { ones } = nb;
export const einsumCases = {
  einsum: einsum(
    2,
    [
      sample("ij,jk->ik", [2, 3], [3, 4]),
      sample("ij, kj -> ki", [2, 3], [4, 3]),
      sample("i,i->", [5], [5]),
      sample("i,j->ij", [3], [2]),
      sample("ij,ij->j", [3, 2], [3, 2]),
      sample("bij,bjk->bik", [2, 2, 3], [2, 3, 2]),
      sample("...ij,...jk->...ik", [2, 1, 2, 3], [2, 3, 2]),
      sample("b...,b...->b", [2, 3, 2], [2, 3, 2]),
      sample("ii,j->ij", [3, 3], [2]),
      sample("ijk,kjl->li", [2, 3, 2], [2, 3, 2]),
      sample("ij,jk->k", [2, 1], [3, 2]),
      sample("ij,k->", [2, 2], [3]),
      sample("ij,jk->ik", [0, 3], [3, 2]),
      sample("ij,jk->ik", [2, 0], [0, 2]),
      sample(",i->i", [], [3]),
    ],
    sample("ij,jk->ik", [40, 30], [30, 50]),
    [
      { what: "no string", call: () => nb.einsum(3 as never, ones([1])), code: "ERR_ARGUMENT" },
      {
        what: "another number of operands",
        call: () => nb.einsum("ij,jk->ik", ones([2, 2])),
        code: "ERR_ARGUMENT",
        says: /another number of terms; expected 2 tensors, got 1$/,
      },
      { what: "two arrows", call: () => nb.einsum("i->i->i", ones([2])), code: "ERR_ARGUMENT" },
      { what: "a digit", call: () => nb.einsum("i1->i", ones([2, 2])), code: "ERR_ARGUMENT" },
      { what: "a broken ellipsis", call: () => nb.einsum("i..->i", ones([2, 2])), code: "ERR_ARGUMENT" },
      {
        what: "a letter of the result alone",
        call: () => nb.einsum("i->ij", ones([2])),
        code: "ERR_ARGUMENT",
        says: /^einsum: j is in the result alone; expected .*, got "i->ij"$/,
      },
      { what: "a letter twice in the result", call: () => nb.einsum("i->ii", ones([2])), code: "ERR_ARGUMENT" },
      {
        what: "sizes that differ",
        call: () => nb.einsum("ij,jk->ik", ones([2, 3]), ones([4, 5])),
        code: "ERR_SHAPE",
        says: /^einsum: the sizes of j differ; expected 3, got 4$/,
      },
      { what: "a diagonal of no square", call: () => nb.einsum("ii->i", ones([2, 3])), code: "ERR_SHAPE" },
      { what: "too few letters", call: () => nb.einsum("i->i", ones([2, 3])), code: "ERR_SHAPE" },
      { what: "too many letters", call: () => nb.einsum("ijk->i", ones([2, 3])), code: "ERR_SHAPE" },
    ],
  ),
  "einsum, one operand": einsum(
    1,
    [
      sample("ii->i", [3, 3]),
      sample("ii->", [3, 3]),
      sample("iji->ji", [2, 3, 2]),
      sample("iii->i", [3, 3, 3]),
      sample("ij->ji", [2, 3]),
      sample("ij->ij", [2, 3]),
      sample("...i->...", [2, 2, 3]),
      sample("i...->...i", [2, 3, 2]),
      sample("ii->i", [0, 0]),
    ],
    sample("ij->i", [300, 301]),
  ),
  "einsum, three operands": einsum(
    3,
    [
      sample("ij,jk,kl->il", [2, 3], [3, 2], [2, 2]),
      sample("bi,oij,bj->bo", [2, 3], [2, 3, 2], [2, 2]),
      sample("i,i,i->i", [3], [3], [3]),
      sample("i,j,k->", [2], [3], [2]),
    ],
    sample("ij,jk,kl->il", [30, 10], [10, 20], [20, 30]),
  ),
};
