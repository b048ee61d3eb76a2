/** Cases of ops that repeat, turn round and put borders. */
import * as nb from "nabla";
import { type Arr, build, expand, mapAlong, pick } from "../../reference/array.js";
import { moving, one, same, x } from "./moving.js";

const times = (v: Arr, shape: readonly number[]): Arr => {
  const own = [...new Array<number>(shape.length - v.shape.length).fill(1), ...v.shape];
  const padded = same(own)(v);
  return build(shape, (index) =>
    pick(
      padded,
      index.map((i, d) => i % own[d]!),
    ),
  );
};
const rolled = (by: number) => (values: number[]) =>
  values.map((_, i) => values[(((i - by) % values.length) + values.length) % values.length]!);
const each = (n: number | readonly number[]) => (values: number[]) =>
  values.flatMap((value, i) => new Array<number>(typeof n === "number" ? n : n[i]!).fill(value));
const bordered =
  (before: number, after: number, at: (i: number, n: number) => number | null, value: number) =>
  (values: number[]): number[] =>
    Array.from({ length: values.length + before + after }, (_, j) => {
      const i = at(j - before, values.length);
      return i === null ? value : values[i]!;
    });
const constant = (i: number, n: number): number | null => (i < 0 || i >= n ? null : i);
const reflect = (i: number, n: number): number => (i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i);
const replicate = (i: number, n: number): number => (i < 0 ? 0 : i >= n ? n - 1 : i);
const circular = (i: number, n: number): number => (i < 0 ? i + n : i >= n ? i - n : i);
const ints = (...values: number[]): nb.Tensor => nb.tensor(Int32Array.from(values));
const badNumbers = (call: (sizes: never) => unknown) =>
  [
    { what: "no list", call: () => call(undefined as never), code: "ERR_ARGUMENT" },
    { what: "a fraction", call: () => call([1.5, 1] as never), code: "ERR_ARGUMENT" },
    { what: "NaN", call: () => call([Number.NaN, 1] as never), code: "ERR_ARGUMENT" },
  ] as const;

export const repeatCases = {
  repeat: moving(
    [
      one(
        [3],
        (v) => nb.repeat(v, [2]),
        (v) => times(v, [6]),
      ),
      one(
        [2, 3],
        (v) => nb.repeat(v, [2, 1, 3]),
        (v) => times(v, [2, 2, 9]),
      ),
      one([2, 3], (v) => nb.repeat(v, [1, 1]), same([2, 3])),
      one(
        [],
        (v) => nb.repeat(v, [3]),
        (v) => expand(v, [3]),
      ),
      one([], (v) => nb.repeat(v, []), same([])),
      one(
        [2, 3],
        (v) => nb.repeat(v, [0, 1]),
        (v) => times(v, [0, 3]),
      ),
      one(
        [0, 3],
        (v) => nb.repeat(v, [2, 2]),
        (v) => times(v, [0, 6]),
      ),
      one(
        [3, 15011],
        (v) => nb.repeat(v, [1, 2]),
        (v) => times(v, [3, 30022]),
      ),
    ],
    [
      ...badNumbers((sizes) => nb.repeat(x, sizes)),
      { what: "a negative number", call: () => nb.repeat(x, [-1, 1]), code: "ERR_ARGUMENT" },
      { what: "too few", call: () => nb.repeat(x, [2]), code: "ERR_SHAPE", says: /; expected at least 2, got 1/ },
      { what: "too large", call: () => nb.repeat(x, [2 ** 30, 2 ** 30]), code: "ERR_MEMORY" },
    ],
  ),
  tile: moving(
    [
      one(
        [3],
        (v) => nb.tile(v, [2]),
        (v) => times(v, [6]),
      ),
      one(
        [2, 3],
        (v) => nb.tile(v, [2]),
        (v) => times(v, [2, 6]),
      ),
      one(
        [3],
        (v) => nb.tile(v, [2, 2]),
        (v) => times(v, [2, 6]),
      ),
      one(
        [2, 0],
        (v) => nb.tile(v, [3, 1]),
        (v) => times(v, [6, 0]),
      ),
      one(
        [3, 15011],
        (v) => nb.tile(v, [2]),
        (v) => times(v, [3, 30022]),
      ),
    ],
    [
      ...badNumbers((dims) => nb.tile(x, dims)),
      { what: "a negative number", call: () => nb.tile(x, [-1]), code: "ERR_ARGUMENT" },
    ],
  ),
  repeatInterleave: moving(
    [
      one(
        [3],
        (v) => nb.repeatInterleave(v, 2),
        (v) => mapAlong(v, 0, each(2)),
      ),
      one(
        [2, 3],
        (v) => nb.repeatInterleave(v, 2),
        (v) => mapAlong(same([6])(v), 0, each(2)),
      ),
      one(
        [2, 3],
        (v) => nb.repeatInterleave(v, 3, -1),
        (v) => mapAlong(v, 1, each(3)),
      ),
      one(
        [2, 3],
        (v) => nb.repeatInterleave(v, ints(2, 0, 1), 1),
        (v) => mapAlong(v, 1, each([2, 0, 1])),
      ),
      one(
        [2, 3],
        (v) => nb.repeatInterleave(v, ints(2), 0),
        (v) => mapAlong(v, 0, each(2)),
      ),
      one(
        [],
        (v) => nb.repeatInterleave(v, 2),
        (v) => expand(v, [2]),
      ),
      one(
        [3],
        (v) => nb.repeatInterleave(v, 0),
        (v) => mapAlong(v, 0, each(0)),
      ),
      one(
        [3, 15011],
        (v) => nb.repeatInterleave(v, 2, 1),
        (v) => mapAlong(v, 1, each(2)),
      ),
    ],
    [
      { what: "a dim out of range", call: () => nb.repeatInterleave(x, 2, 2), code: "ERR_AXIS" },
      { what: "NaN as dim", call: () => nb.repeatInterleave(x, 2, Number.NaN), code: "ERR_ARGUMENT" },
      { what: "a negative number", call: () => nb.repeatInterleave(x, -1), code: "ERR_ARGUMENT" },
      { what: "a negative element", call: () => nb.repeatInterleave(x, ints(1, -1), 0), code: "ERR_ARGUMENT" },
      { what: "no number", call: () => nb.repeatInterleave(x, undefined as never), code: "ERR_ARGUMENT" },
      { what: "floats", call: () => nb.repeatInterleave(x, nb.ones([2]), 0), code: "ERR_DTYPE" },
      { what: "a list that does not fit", call: () => nb.repeatInterleave(x, ints(1, 2), 1), code: "ERR_SHAPE" },
    ],
  ),
  roll: moving(
    [
      one(
        [5],
        (v) => nb.roll(v, 2),
        (v) => mapAlong(v, 0, rolled(2)),
      ),
      one(
        [2, 3],
        (v) => nb.roll(v, -1),
        (v) => same([2, 3])(mapAlong(same([6])(v), 0, rolled(-1))),
      ),
      one(
        [2, 3],
        (v) => nb.roll(v, 7, 1),
        (v) => mapAlong(v, 1, rolled(7)),
      ),
      one(
        [2, 3],
        (v) => nb.roll(v, [1, -2], [0, -1]),
        (v) => mapAlong(mapAlong(v, 0, rolled(1)), 1, rolled(-2)),
      ),
      one([2, 3], (v) => nb.roll(v, 3, 1), same([2, 3])),
      one([], (v) => nb.roll(v, 3), same([])),
      one([0, 3], (v) => nb.roll(v, 1, 0), same([0, 3])),
      one(
        [3, 30011],
        (v) => nb.roll(v, 10000, 1),
        (v) => mapAlong(v, 1, rolled(10000)),
      ),
    ],
    [
      { what: "a dim out of range", call: () => nb.roll(x, 1, 2), code: "ERR_AXIS" },
      { what: "NaN as dim", call: () => nb.roll(x, 1, Number.NaN), code: "ERR_ARGUMENT" },
      { what: "NaN as shift", call: () => nb.roll(x, Number.NaN, 0), code: "ERR_ARGUMENT" },
      { what: "no shift", call: () => nb.roll(x, undefined as never), code: "ERR_ARGUMENT" },
      {
        what: "more shifts than dims",
        call: () => nb.roll(x, [1, 2], 0),
        code: "ERR_ARGUMENT",
        says: /; expected 1, got 2/,
      },
      { what: "several shifts and no dim", call: () => nb.roll(x, [1, 2]), code: "ERR_ARGUMENT" },
    ],
  ),
  pad: moving(
    [
      one(
        [3],
        (v) => nb.pad(v, [1, 2]),
        (v) => mapAlong(v, 0, bordered(1, 2, constant, 0)),
      ),
      one(
        [2, 3],
        (v) => nb.pad(v, [1, 0, 0, 2], { value: 1 }),
        (v) => mapAlong(mapAlong(v, 1, bordered(1, 0, constant, 1)), 0, bordered(0, 2, constant, 1)),
      ),
      one(
        [2, 4],
        (v) => nb.pad(v, [-1, 1]),
        (v) => mapAlong(v, 1, (row) => bordered(0, 1, constant, 0)(row.slice(1))),
      ),
      one(
        [2, 4],
        (v) => nb.pad(v, [2, -3]),
        (v) => mapAlong(v, 1, (row) => bordered(2, 0, constant, 0)(row.slice(0, 1))),
      ),
      one(
        [4],
        (v) => nb.pad(v, [3, 2], { mode: "reflect" }),
        (v) => mapAlong(v, 0, bordered(3, 2, reflect, 0)),
      ),
      one(
        [2, 3],
        (v) => nb.pad(v, [4, 1], { mode: "replicate" }),
        (v) => mapAlong(v, 1, bordered(4, 1, replicate, 0)),
      ),
      one(
        [3, 2],
        (v) => nb.pad(v, [0, 1, 3, 2], { mode: "circular" }),
        (v) => mapAlong(mapAlong(v, 1, bordered(0, 1, circular, 0)), 0, bordered(3, 2, circular, 0)),
      ),
      one(
        [4],
        (v) => nb.pad(v, [-1, 2], { mode: "replicate" }),
        (v) => mapAlong(v, 0, (row) => bordered(0, 2, replicate, 0)(row.slice(1))),
      ),
      one(
        [0],
        (v) => nb.pad(v, [1, 1]),
        (v) => mapAlong(v, 0, bordered(1, 1, constant, 0)),
      ),
      one([2, 3], (v) => nb.pad(v, []), same([2, 3])),
      one(
        [3, 30011],
        (v) => nb.pad(v, [3, 4]),
        (v) => mapAlong(v, 1, bordered(3, 4, constant, 0)),
      ),
    ],
    [
      ...badNumbers((padding) => nb.pad(x, padding)),
      {
        what: "an odd number",
        call: () => nb.pad(x, [1]),
        code: "ERR_ARGUMENT",
        says: /; expected an even number, got 1/,
      },
      { what: "too many", call: () => nb.pad(x, [1, 1, 1, 1, 1, 1]), code: "ERR_SHAPE" },
      { what: "more cut off than there is", call: () => nb.pad(x, [-2, -2]), code: "ERR_SHAPE" },
      { what: "a mirror that is too small", call: () => nb.pad(x, [3, 0], { mode: "reflect" }), code: "ERR_SHAPE" },
      { what: "nothing to mirror", call: () => nb.pad(nb.ones([0]), [1, 0], { mode: "replicate" }), code: "ERR_SHAPE" },
      { what: "an unknown mode", call: () => nb.pad(x, [1, 1], { mode: "mirror" as never }), code: "ERR_ARGUMENT" },
      { what: "an unknown option", call: () => nb.pad(x, [1, 1], { valeu: 1 } as never), code: "ERR_ARGUMENT" },
      { what: "text as value", call: () => nb.pad(x, [1, 1], { value: "0" as never }), code: "ERR_ARGUMENT" },
      { what: "a fraction for integers", call: () => nb.pad(ints(1), [1, 1], { value: 0.5 }), code: "ERR_DTYPE" },
    ],
  ),
  meshgrid: moving(
    [
      [[[2], [3]], (xs) => nb.meshgrid(xs)[0]!, ([a]) => build([2, 3], ([i]) => a!.data[i!]!)],
      [[[2], [3]], (xs) => nb.meshgrid(xs)[1]!, ([, b]) => build([2, 3], ([, j]) => b!.data[j!]!)],
      [[[2], [3]], (xs) => nb.meshgrid(xs, { indexing: "xy" })[0]!, ([a]) => build([3, 2], ([, j]) => a!.data[j!]!)],
      [[[], [3]], (xs) => nb.meshgrid(xs)[1]!, ([, b]) => build([1, 3], ([, j]) => b!.data[j!]!)],
      [[[300], [301]], (xs) => nb.meshgrid(xs)[1]!, ([, b]) => build([300, 301], ([, j]) => b!.data[j!]!)],
    ],
    [
      { what: "a matrix", call: () => nb.meshgrid([x]), code: "ERR_SHAPE" },
      { what: "nothing", call: () => nb.meshgrid([]), code: "ERR_ARGUMENT" },
      { what: "no list", call: () => nb.meshgrid(x as never), code: "ERR_ARGUMENT" },
      {
        what: "an unknown indexing",
        call: () => nb.meshgrid([nb.ones([2])], { indexing: "ji" as never }),
        code: "ERR_ARGUMENT",
      },
    ],
  ),
};
