/** Cases of ops that take tensors apart and put them together. */
import * as nb from "nabla";
import { type Arr, arr, build, pick, range } from "../../reference/array.js";
import { moving, one, same, turn, x } from "./moving.js";
import { wrongDims } from "./reduce.js";
import { notPublic, row } from "./row.js";

/** All of `pieces` of x, end to end: how a list of pieces is seen as one result. */
const flatPieces = (pieces: readonly nb.Tensor[]): nb.Tensor => nb.cat(pieces.map((piece) => piece.reshape([-1])));

export const pieceCases = {
  narrow: moving(
    [
      one(
        [5],
        (v) => nb.narrow(v, 0, 1, 3),
        (v) => range(v, 0, 1, 3),
      ),
      one(
        [2, 4],
        (v) => nb.narrow(v, -1, -3, 2),
        (v) => range(v, 1, 1, 2),
      ),
      one(
        [2, 4],
        (v) => nb.narrow(v, 0, 1, 0),
        (v) => range(v, 0, 1, 0),
      ),
      one(
        [3, 30011],
        (v) => nb.narrow(v, 1, 1, 30009),
        (v) => range(v, 1, 1, 30009),
      ),
    ],
    [
      ...wrongDims((dim) => nb.narrow(x, dim, 0, 1)),
      {
        what: "a piece outside",
        call: () => nb.narrow(x, 1, 2, 2),
        code: "ERR_INDEX",
        says: /; expected .*, got 2 to 4/,
      },
      { what: "NaN as start", call: () => nb.narrow(x, 1, Number.NaN, 2), code: "ERR_ARGUMENT" },
      { what: "no length", call: () => nb.narrow(x, 1, 0, undefined as never), code: "ERR_ARGUMENT" },
      { what: "a negative length", call: () => nb.narrow(x, 1, 0, -1), code: "ERR_ARGUMENT" },
    ],
  ),
  slice: moving(
    [
      one(
        [7],
        (v) => row("slice").replay([v], { dim: 0, start: 5, length: 3, step: -2 }),
        (v) => range(v, 0, 5, 3, -2),
      ),
      one(
        [2, 7],
        (v) => row("slice").replay([v], { dim: 1, start: 1, length: 3, step: 2 }),
        (v) => range(v, 1, 1, 3, 2),
      ),
      one(
        [3, 30011],
        (v) => row("slice").replay([v], { dim: 1, start: 1, length: 15000, step: 2 }),
        (v) => range(v, 1, 1, 15000, 2),
      ),
    ],
    [],
    { errors: notPublic },
  ),
  embed: moving(
    [
      one(
        [3],
        (v) => row("embed").replay([v], { dim: 0, start: 5, length: 3, step: -2, shape: [7] }),
        (v) => embedded(v, [7], 0, 5, -2),
      ),
      one(
        [2, 3],
        (v) => row("embed").replay([v], { dim: 1, start: 1, length: 3, step: 2, shape: [2, 8] }),
        (v) => embedded(v, [2, 8], 1, 1, 2),
      ),
      one(
        [0, 2],
        (v) => row("embed").replay([v], { dim: 0, start: 0, length: 0, step: 1, shape: [3, 2] }),
        (v) => embedded(v, [3, 2], 0, 0, 1),
      ),
      one(
        [3, 30011],
        (v) => row("embed").replay([v], { dim: 1, start: 1, length: 30011, step: 1, shape: [3, 30013] }),
        (v) => embedded(v, [3, 30013], 1, 1, 1),
      ),
    ],
    [],
    { errors: notPublic },
  ),
  cat: moving(
    [
      [
        [
          [2, 3],
          [2, 3],
        ],
        (xs) => nb.cat(xs),
        (xs) => joined(xs, 0),
      ],
      [
        [
          [2, 1],
          [2, 3],
        ],
        (xs) => nb.cat(xs, -1),
        (xs) => joined(xs, 1),
      ],
      [
        [
          [0, 2],
          [3, 2],
        ],
        (xs) => nb.cat(xs),
        (xs) => joined(xs, 0),
      ],
      [[[1], [1]], (xs) => nb.cat(xs), (xs) => joined(xs, 0)],
      [
        [
          [2, 3],
          [2, 3],
        ],
        ([a, b]) => nb.cat([a!, b!, a!], 1),
        ([a, b]) => joined([a!, b!, a!], 1),
      ],
      [
        [
          [3, 30011],
          [3, 11],
        ],
        (xs) => nb.cat(xs, 1),
        (xs) => joined(xs, 1),
      ],
    ],
    [
      ...wrongDims((dim) => nb.cat([x, x], dim)),
      { what: "nothing to join", call: () => nb.cat([]), code: "ERR_ARGUMENT", says: /; expected .*, got/ },
      {
        what: "other sizes",
        call: () => nb.cat([x, nb.ones([2, 4])]),
        code: "ERR_SHAPE",
        says: /; expected \[2, 3\], got \[2, 4\]/,
      },
      { what: "rank 0", call: () => nb.cat([nb.scalar(1)]), code: "ERR_SHAPE" },
      { what: "no list", call: () => nb.cat(x as never), code: "ERR_ARGUMENT" },
    ],
  ),
  stack: moving(
    [
      [
        [
          [2, 3],
          [2, 3],
        ],
        (xs) => nb.stack(xs),
        (xs) => stacked(xs, 0),
      ],
      [
        [
          [2, 3],
          [2, 3],
        ],
        (xs) => nb.stack(xs, -1),
        (xs) => stacked(xs, 2),
      ],
      [[[], []], (xs) => nb.stack(xs), (xs) => stacked(xs, 0)],
      [
        [
          [3, 30011],
          [3, 30011],
        ],
        (xs) => nb.stack(xs, 1),
        (xs) => stacked(xs, 1),
      ],
    ],
    [
      { what: "a dim out of range", call: () => nb.stack([x, x], 3), code: "ERR_AXIS" },
      { what: "NaN as dim", call: () => nb.stack([x, x], Number.NaN), code: "ERR_ARGUMENT" },
      { what: "other shapes", call: () => nb.stack([x, nb.ones([3])]), code: "ERR_SHAPE" },
      { what: "nothing to join", call: () => nb.stack([]), code: "ERR_ARGUMENT" },
    ],
  ),
  split: moving(
    [
      one([5], (v) => flatPieces(nb.split(v, 2)), same([5])),
      one(
        [2, 5],
        (v) => nb.split(v, [1, 4], 1)[1],
        (v) => range(v, 1, 1, 4),
      ),
      one(
        [3, 30011],
        (v) => nb.split(v, 30000, 1)[0]!,
        (v) => range(v, 1, 0, 30000),
      ),
    ],
    [
      ...wrongDims((dim) => nb.split(x, 1, dim)),
      {
        what: "sizes that do not add up",
        call: () => nb.split(x, [1, 1], 1),
        code: "ERR_SHAPE",
        says: /; expected 3, got 2/,
      },
      { what: "size 0", call: () => nb.split(x, 0), code: "ERR_ARGUMENT" },
      { what: "NaN as size", call: () => nb.split(x, Number.NaN), code: "ERR_ARGUMENT" },
      { what: "no size", call: () => nb.split(x, undefined as never), code: "ERR_ARGUMENT" },
      { what: "rank 0", call: () => nb.split(nb.scalar(1), 1), code: "ERR_SHAPE" },
    ],
  ),
  chunk: moving(
    [
      one(
        [5],
        (v) => nb.chunk(v, 2)[1]!,
        (v) => range(v, 0, 3, 2),
      ),
      one(
        [2, 4],
        (v) => nb.chunk(v, 4, -1)[2]!,
        (v) => range(v, 1, 2, 1),
      ),
      one(
        [3, 30011],
        (v) => nb.chunk(v, 2, 1)[0]!,
        (v) => range(v, 1, 0, 15006),
      ),
    ],
    [
      ...wrongDims((dim) => nb.chunk(x, 1, dim)),
      { what: "no chunk", call: () => nb.chunk(x, 0), code: "ERR_ARGUMENT" },
      { what: "NaN chunks", call: () => nb.chunk(x, Number.NaN), code: "ERR_ARGUMENT" },
    ],
  ),
  unbind: moving(
    [
      one(
        [3, 2],
        (v) => nb.unbind(v)[1]!,
        (v) => same([2])(range(v, 0, 1, 1)),
      ),
      one(
        [2, 3],
        (v) => nb.unbind(v, -1)[2]!,
        (v) => same([2])(range(v, 1, 2, 1)),
      ),
      one(
        [3, 30011],
        (v) => nb.unbind(v)[2]!,
        (v) => same([30011])(range(v, 0, 2, 1)),
      ),
    ],
    [
      ...wrongDims((dim) => nb.unbind(x, dim)),
      { what: "rank 0", call: () => nb.unbind(nb.scalar(1)), code: "ERR_SHAPE" },
    ],
  ),
  at: moving(
    [
      one(
        [2, 3],
        (v) => nb.at(v, 1),
        (v) => same([3])(range(v, 0, 1, 1)),
      ),
      one(
        [2, 7],
        (v) => nb.at(v, "..., 5:1:-2"),
        (v) => range(v, 1, 5, 2, -2),
      ),
      one(
        [2, 3],
        (v) => nb.at(v, null, nb.slice(1)),
        (v) => same([1, 1, 3])(range(v, 0, 1, 1)),
      ),
      one(
        [4],
        (v) => nb.at(v, [3, -1, 0]),
        (v) => arr([3], [v.data[3]!, v.data[3]!, v.data[0]!]),
      ),
      one(
        [2, 2],
        (v) =>
          nb.at(
            v,
            nb.tensor([
              [true, false],
              [false, true],
            ]),
          ),
        (v) => arr([2], [v.data[0]!, v.data[3]!]),
      ),
      one(
        [3, 30011],
        (v) => nb.at(v, "::-1, 1:"),
        (v) => turn(0)(range(v, 1, 1, 30010)),
      ),
    ],
    [
      {
        what: "a position out of range",
        call: () => nb.at(x, 2),
        code: "ERR_INDEX",
        says: /; expected -2 to 1.*, got 2/,
      },
      { what: "too many entries", call: () => nb.at(x, 0, 0, 0), code: "ERR_INDEX" },
      { what: "NaN as position", call: () => nb.at(x, Number.NaN), code: "ERR_ARGUMENT" },
      { what: "undefined as position", call: () => nb.at(x, undefined as never), code: "ERR_ARGUMENT" },
      { what: "a bad string", call: () => nb.at(x, "1:a"), code: "ERR_ARGUMENT", says: /character 3/ },
      { what: "a list out of range", call: () => nb.at(x, [2]), code: "ERR_INDEX" },
      { what: "a mask that does not fit", call: () => nb.at(x, [true]), code: "ERR_SHAPE" },
      { what: "a step of 0", call: () => nb.at(x, "::0"), code: "ERR_ARGUMENT" },
    ],
  ),
};

/** Zeros with g written into a range: element i of g stands at start + i step. */
function embedded(g: Arr, shape: readonly number[], dim: number, start: number, step: number): Arr {
  return build(shape, (index) => {
    const i = (index[dim]! - start) / step;
    const inside = Number.isInteger(i) && i >= 0 && i < g.shape[dim]!;
    return inside
      ? pick(
          g,
          index.map((at, d) => (d === dim ? i : at)),
        )
      : 0;
  });
}

function joined(xs: readonly Arr[], dim: number): Arr {
  const shape = xs[0]!.shape.map((size, d) => (d === dim ? xs.reduce((n, x) => n + x.shape[d]!, 0) : size));
  return build(shape, (index) => {
    let at = index[dim]!;
    let k = 0;
    for (; at >= xs[k]!.shape[dim]!; k++) at -= xs[k]!.shape[dim]!;
    return pick(
      xs[k]!,
      index.map((i, d) => (d === dim ? at : i)),
    );
  });
}

function stacked(xs: readonly Arr[], dim: number): Arr {
  const shape = [...xs[0]!.shape];
  shape.splice(dim, 0, xs.length);
  return build(shape, (index) =>
    pick(
      xs[index[dim]!]!,
      index.filter((_, d) => d !== dim),
    ),
  );
}
