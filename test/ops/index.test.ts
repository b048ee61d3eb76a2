/** Indexing against PyTorch: every index of up to four entries of nine kinds, its gradient, and what is put there. */
import { readFileSync } from "node:fs";
import * as nb from "nabla";
import { grad, noGrad, type Tensor, tensor, vmap } from "nabla";
import { describe, expect, test } from "vitest";
import { thrown } from "../autograd/code.js";

type Row = readonly [kinds: string, shape: number[], part: number, gradient: number, put: number];
const rows: Row[] = JSON.parse(readFileSync(new URL("./index-golden.json", import.meta.url), "utf8"));

const sizes = [4, 5, 4, 5];
const ints = (...values: number[]): Tensor => tensor(Int32Array.from(values));
const x = tensor(Float64Array.from({ length: 400 }, (_, i) => (i * 7919) % 10007)).reshape(sizes);
const weightsOf = (shape: readonly number[]): Tensor =>
  tensor(Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 31) % 1009) + 1)).reshape(
    shape,
  );
const checksum = (t: Tensor): number =>
  (t.toTypedArray() as Float64Array).reduce((sum, value, i) => sum + value * (i + 1), 0) % 1000003;

/** An entry by its kind in index-golden.py. */
function entry(kind: string, dim: number): nb.Index {
  if (kind === "n") return -2;
  if (kind === "0") return nb.scalar(1, { dtype: "int64" });
  if (kind === ":") return "1::2";
  if (kind === "+") return null;
  if (kind === ".") return "...";
  if (kind === "l") return [2, -4];
  if (kind === "t") return ints(0, 2, 1, -1).reshape([2, 2]);
  if (kind === "m") return tensor(Array.from({ length: sizes[dim]! }, (_, i) => i === 1 || i === 3));
  const rowsOf = Array.from({ length: sizes[dim]! }, (_, i) =>
    Array.from({ length: sizes[dim + 1]! }, (_, j) => (i === 1 && j === 2) || (i === 3 && j === 0)),
  );
  return tensor(rowsOf);
}
const takes = (kind: string): number => ({ "+": 0, ".": 0, M: 2 })[kind] ?? 1;

function indexOf(kinds: string): nb.Index[] {
  const used = [...kinds].reduce((sum, kind) => sum + takes(kind), 0);
  let dim = 0;
  return [...kinds].map((kind) => {
    const made = entry(kind, dim);
    dim += kind === "." ? 4 - used : takes(kind);
    return made;
  });
}

describe("several lists are paired by PyTorch's rule", () => {
  test.each([..."n0:+.ltmM"])(
    "parts, gradients and what is put, for every placement in four dimensions: first %s",
    (start) => {
      const here = rows.filter(([kinds]) => kinds.startsWith(start));
      expect(here.length).toBeGreaterThan(300);
      const wrong = here.filter(([kinds, shape, part, gradient, put]) => {
        const index = indexOf(kinds);
        const got = x.at(...index);
        const values = weightsOf(shape);
        const same =
          JSON.stringify(got.shape) === JSON.stringify(shape) &&
          checksum(got) === part &&
          checksum(
            grad((y: Tensor) =>
              y
                .at(...index)
                .mul(values)
                .sum(),
            )(x),
          ) === gradient &&
          checksum(x.indexPut(index, values)) === put;
        return !same;
      });
      expect(wrong.map(([kinds]) => kinds)).toEqual([]);
    },
    60_000,
  );

  test("numbers and tensors of rank 0 are taken first, as views; a list or mask copies", () => {
    const y = nb.zeros([2, 3]);
    y.at(nb.scalar(1, { dtype: "int32" }), "1:").assign(5);
    y.at(0, null, 0).assign(7);
    expect(y.toArray()).toEqual([
      [7, 0, 0],
      [0, 5, 5],
    ]);
    const taken = y.at([1], 0);
    noGrad(() => y.assign(1));
    expect(taken.toArray()).toEqual([0]);
    expect(y.at(nb.scalar(1).to("bool")).shape).toEqual([1, 2, 3]);
    expect(y.at(nb.scalar(0).to("bool")).shape).toEqual([0, 2, 3]);
  });

  test("gradients add up where pairs repeat, to every order", () => {
    const y = nb.tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { dtype: "float64" },
    );
    const f = (z: Tensor) => z.at([0, 0, 1], [1, 1, 0]).square().sum();
    expect(grad(f)(y).toArray()).toEqual([
      [0, 8],
      [6, 0],
    ]);
    expect(nb.gradcheck(f, [y])).toBe(true);
    const put = (z: Tensor, v: Tensor) =>
      z
        .indexPut(["...", [1, -1, 0]], v, { accumulate: true })
        .square()
        .sum();
    expect(
      nb.gradcheck(put, [
        y,
        nb.tensor(
          [
            [1, 2, 3],
            [4, 5, 6],
          ],
          { dtype: "float64" },
        ),
      ]),
    ).toBe(true);
  });

  test("vmap pairs the lists of every example, and those that all examples share", () => {
    const all = tensor(Float64Array.from({ length: 72 }, (_, i) => Math.sin(i))).reshape([3, 2, 3, 4]);
    const lists = ints(0, 1, 1, 0, 0, 1).reshape([3, 2]);
    const rankZero = ints(0, 1, 1);
    const mask = tensor([true, false, true]);
    const calls: ((y: Tensor, list: Tensor, one: Tensor) => Tensor)[] = [
      (y) => y.at([0, 1], [2, 0]),
      (y, list) => y.at(list, [2, 0]),
      (y, list) => y.at(list, ":", [3, 0]),
      (y, list) => y.at(list, mask, 2),
      (y, list, one) => y.at(one, list),
      (y, _, one) => y.at("...", one),
      (y, list) => y.at.outer(list, list),
      (y, list) => y.indexPut([list, [2, 0]], 5),
      (y, list, one) => y.indexPut(["...", one, list], y.at([1, 1], 0, [2, 3])),
    ];
    for (const f of calls) {
      const apart = nb.stack([0, 1, 2].map((i) => f(all.at(i), lists.at(i), rankZero.at(i))));
      expect(vmap(f)(all, lists, rankZero).toArray()).toEqual(apart.toArray());
      const slope = grad((y: Tensor, list: Tensor, one: Tensor) => f(y, list, one).square().sum());
      const slopes = nb.stack([0, 1, 2].map((i) => slope(all.at(i), lists.at(i), rankZero.at(i))));
      expect(vmap(slope)(all, lists, rankZero).toArray()).toEqual(slopes.toArray());
    }
  });

  test("at.outer gives every combination, as a method and as a function", () => {
    const y = nb.arange(24).reshape([2, 3, 4]);
    const grid = y.at.outer([1, 0], ":", [3, 0, 3]);
    expect(grid.toArray()).toEqual(y.at([1, 0]).at("...", [3, 0, 3]).toArray());
    expect(nb.at.outer(y, [1, 0], ":", [3, 0, 3]).toArray()).toEqual(grid.toArray());
    expect(y.at.outer(ints(0, 1, 1, 0).reshape([2, 2]), 0, tensor([true, false, true, true])).shape).toEqual([2, 2, 3]);
    expect(y.at.outer([1], y.at.outer([0], [2], [0]).reshape([-1]).mul(0), [2]).toArray()).toEqual([[[14]]]);
    const { at } = y;
    expect([at(1, 1, 1).item(), at.outer([1], 1, 1).toArray()]).toEqual([17, [17]]);
  });

  test("lists that do not broadcast name at.outer; a fault names the function that was called", () => {
    const y = nb.zeros([4, 5]);
    const error = thrown(() => y.at([0, 1], [0, 1, 2]));
    expect([error.code, error.message]).toEqual([
      "ERR_SHAPE",
      "at: shapes do not broadcast; expected shapes that broadcast, or x.at.outer(...) for every combination, got [2] and [3]",
    ]);
    expect(thrown(() => y.at([0, 4], [0, 1])).message).toBe("at: an index is out of range; expected -4 to 3, got 4");
    expect(
      thrown(() =>
        y.indexPut(
          [
            [0, 1],
            [0, 1, 2],
          ],
          1,
        ),
      ).message,
    ).toMatch(/^indexPut: shapes do not broadcast/);
    expect(thrown(() => y.indexPut(["1:a"], 1)).message).toMatch(/^indexPut: bad index string at character 3/);
    expect(thrown(() => y.indexPut([0.5], 1)).message).toMatch(/^indexPut: a position is not valid/);
    expect(thrown(() => y.indexPut([[4]], 1)).message).toBe(
      "indexPut: an index is out of range; expected -4 to 3, got 4",
    );
    expect(thrown(() => y.at(nb.zeros([2]))).code).toBe("ERR_DTYPE");
    expect(thrown(() => nb.zeros([0]).at(0)).message).toBe(
      "at: position out of range for dim 0; expected none, as there is no element, got 0",
    );
  });

  test("assign refuses the copy that at made, and names what was meant", () => {
    const y = nb.zeros([3, 4]);
    const copies = [
      y.at([0, 1]),
      y.at(ints(0)),
      y.at(y.eq(0)),
      y.at([true, false, true], "1:"),
      y.at(0, [1, 2]),
      y.at.outer([0], [1]),
      y.at([0, 1]).at(0),
    ];
    for (const copy of copies) {
      const error = thrown(() => copy.assign(1));
      expect(error.code).toBe("ERR_ARGUMENT");
      for (const name of ["indexPut", "maskedFill", ".clone()"]) expect(error.message).toContain(name);
      expect(copy.clone().assign(1).sum().item()).toBe(copy.numel);
    }
    expect(y.at("0, 1:").assign(1).sum().item()).toBe(3);
    expect(y.sum().item()).toBe(3);
  });
});

test("a number alone is refused by norm: it may be the order or the dim", () => {
  const y = tensor([
    [3, 4],
    [0, 1],
  ]);
  // @ts-expect-error: a bare number
  const error = thrown(() => y.norm(1));
  expect([error.code, error.message]).toEqual([
    "ERR_ARGUMENT",
    "norm: a number alone may be the order or the dim; expected norm({ ord: 1 }) or norm({ dim: 1 }), got norm(1)",
  ]);
  // @ts-expect-error: without the order
  expect(thrown(() => nb.norm(y, 1, { keepdim: true })).code).toBe("ERR_ARGUMENT");
  expect(y.norm([1]).toArray()).toEqual([5, 1]);
  expect(y.norm([1], { keepdim: true }).toArray()).toEqual([[5], [1]]);
  expect(y.norm(0, { ord: 1 }).toArray()).toEqual([3, 5]);
  expect(y.norm({ dim: 1, ord: 1 }).toArray()).toEqual([7, 1]);
  expect(y.norm({ ord: 1 }).item()).toBe(8);
});
