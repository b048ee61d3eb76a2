import * as nb from "nabla";
import { expand, permute } from "../../reference/array.js";
import { badShape, moving, one, otherCount, same, swap, turn, x } from "./moving.js";
import { wrongDims } from "./reduce.js";
import { notPublic, row } from "./row.js";

export const movementCases = {
  reshape: moving(
    [
      one([6], (v) => nb.reshape(v, [2, 3]), same([2, 3])),
      one([], (v) => nb.reshape(v, [1, 1]), same([1, 1])),
      one([1], (v) => nb.reshape(v, []), same([])),
      one([2, 3, 4], (v) => nb.reshape(v, [4, -1]), same([4, 6])),
      one([0, 3], (v) => nb.reshape(v, [3, 0]), same([3, 0])),
      one(
        [2, 3],
        (v) => nb.reshape(v.t(), [6]),
        (v) => same([6])(permute(v, [1, 0])),
      ),
      one(
        [3, 30011],
        (v) => nb.reshape(v.t(), [-1]),
        (v) => same([90033])(permute(v, [1, 0])),
      ),
    ],
    [
      ...badShape((shape) => nb.reshape(x, shape)),
      otherCount((shape) => nb.reshape(x, shape)),
      { what: "two open sizes", call: () => nb.reshape(x, [-1, -1]), code: "ERR_ARGUMENT" },
      { what: "an open size that does not divide", call: () => nb.reshape(x, [4, -1]), code: "ERR_SHAPE" },
    ],
  ),
  view: moving(
    [
      one([6], (v) => nb.view(v, [2, 3]), same([2, 3])),
      one([0], (v) => nb.view(v, [0, 2]), same([0, 2])),
      one([3, 30011], (v) => nb.view(v, [-1]), same([90033])),
    ],
    [
      ...badShape((shape) => nb.view(x, shape)),
      otherCount((shape) => nb.view(x, shape)),
      { what: "strides that allow no view", call: () => nb.view(x.t(), [6]), code: "ERR_SHAPE" },
    ],
    { layout: "it refuses layouts that need a copy; reshape takes them all" },
  ),
  permute: moving(
    [
      one([2, 3, 4], (v) => nb.permute(v, [2, 0, 1]), swap([2, 0, 1])),
      one([], (v) => nb.permute(v, []), swap([])),
      one([2, 3], (v) => nb.permute(v, [-1, 0]), swap([1, 0])),
      one([0, 3], (v) => nb.permute(v, [1, 0]), swap([1, 0])),
      one([3, 30011], (v) => nb.permute(v, [1, 0]), swap([1, 0])),
    ],
    [
      { what: "too few dims", call: () => nb.permute(x, [0]), code: "ERR_AXIS" },
      { what: "a dim twice", call: () => nb.permute(x, [0, 0]), code: "ERR_AXIS" },
      { what: "no dims", call: () => nb.permute(x, undefined as never), code: "ERR_ARGUMENT" },
      { what: "NaN as dim", call: () => nb.permute(x, [0, Number.NaN]), code: "ERR_ARGUMENT" },
    ],
  ),
  transpose: moving(
    [
      one([2, 3, 4], (v) => nb.transpose(v, 0, -1), swap([2, 1, 0])),
      one([2, 1], (v) => nb.transpose(v, 0, 1), swap([1, 0])),
      one(
        [],
        (v) => nb.transpose(v, 0, 0),
        (v) => v,
      ),
      one([3, 30011], (v) => nb.transpose(v, 0, 1), swap([1, 0])),
    ],
    [
      ...wrongDims((dim) => nb.transpose(x, dim, 0)),
      ...wrongDims((dim) => nb.transpose(x, 0, dim)),
      { what: "no dims", call: () => nb.transpose(x, undefined as never, 0), code: "ERR_ARGUMENT" },
    ],
  ),
  t: moving(
    [
      one([2, 3], nb.t, swap([1, 0])),
      one([3], nb.t, (v) => v),
      one([], nb.t, (v) => v),
      one([3, 30011], nb.t, swap([1, 0])),
    ],
    [{ what: "three dimensions", call: () => nb.t(nb.ones([1, 1, 1])), code: "ERR_SHAPE" }],
  ),
  movedim: moving(
    [
      one([2, 3, 4], (v) => nb.movedim(v, 0, -1), swap([1, 2, 0])),
      one([2, 3, 4], (v) => nb.movedim(v, [2, 0], [0, 1]), swap([2, 0, 1])),
      one([3, 30011], (v) => nb.movedim(v, 1, 0), swap([1, 0])),
    ],
    [
      ...wrongDims((dim) => nb.movedim(x, dim, 0)),
      ...wrongDims((dim) => nb.movedim(x, 0, dim)),
      { what: "lists of two lengths", call: () => nb.movedim(x, [0, 1], [0]), code: "ERR_AXIS" },
      { what: "no dims", call: () => nb.movedim(x, undefined as never, 0), code: "ERR_ARGUMENT" },
    ],
  ),
  expand: moving(
    [
      one(
        [2, 1],
        (v) => nb.expand(v, [2, 3]),
        (v) => expand(v, [2, 3]),
      ),
      one(
        [3],
        (v) => nb.expand(v, [2, -1]),
        (v) => expand(v, [2, 3]),
      ),
      one(
        [],
        (v) => nb.expand(v, [2, 2]),
        (v) => expand(v, [2, 2]),
      ),
      one(
        [1, 3],
        (v) => nb.expand(v, [0, 3]),
        (v) => expand(v, [0, 3]),
      ),
      one(
        [1, 30011],
        (v) => nb.expand(v, [3, 30011]),
        (v) => expand(v, [3, 30011]),
      ),
    ],
    [
      ...badShape((shape) => nb.expand(x, shape)),
      {
        what: "a size that does not stretch",
        call: () => nb.expand(x, [2, 4]),
        code: "ERR_SHAPE",
        says: /; expected .*, got \[2, 4\]/,
      },
      { what: "too few dims", call: () => nb.expand(x, [3]), code: "ERR_SHAPE" },
    ],
  ),
  broadcastTo: moving(
    [
      one(
        [3],
        (v) => nb.broadcastTo(v, [2, 3]),
        (v) => expand(v, [2, 3]),
      ),
      one(
        [1, 30011],
        (v) => nb.broadcastTo(v, [3, 30011]),
        (v) => expand(v, [3, 30011]),
      ),
    ],
    [
      ...badShape((shape) => nb.broadcastTo(x, shape)),
      { what: "a size that does not stretch", call: () => nb.broadcastTo(x, [2, 4]), code: "ERR_SHAPE" },
    ],
  ),
  squeeze: moving(
    [
      one([1, 3, 1], (v) => nb.squeeze(v), same([3])),
      one([1, 3, 1], (v) => nb.squeeze(v, -1), same([1, 3])),
      one([1, 3, 1], (v) => nb.squeeze(v, [0, 1]), same([3, 1])),
      one([1, 0], (v) => nb.squeeze(v), same([0])),
      one([3, 1, 30011], (v) => nb.squeeze(v, 1), same([3, 30011])),
    ],
    [
      ...wrongDims((dim) => nb.squeeze(x, dim)),
      { what: "a dim twice", call: () => nb.squeeze(x, [0, 0]), code: "ERR_AXIS" },
    ],
  ),
  unsqueeze: moving(
    [
      one([2, 3], (v) => nb.unsqueeze(v, 1), same([2, 1, 3])),
      one([2, 3], (v) => nb.unsqueeze(v, -1), same([2, 3, 1])),
      one([], (v) => nb.unsqueeze(v, 0), same([1])),
      one([3, 30011], (v) => nb.unsqueeze(v, 0), same([1, 3, 30011])),
    ],
    [
      {
        what: "one dimension more than there can be",
        call: () => nb.unsqueeze(nb.ones(new Array<number>(16).fill(1)), 0),
        code: "ERR_SHAPE",
        says: /too many dimensions; expected at most 16, got 17/,
      },
      {
        what: "a dim out of range",
        call: () => nb.unsqueeze(x, 3),
        code: "ERR_AXIS",
        says: /; expected -3 to 2.*, got 3/,
      },
      { what: "no dim", call: () => nb.unsqueeze(x, undefined as never), code: "ERR_ARGUMENT" },
      { what: "NaN as dim", call: () => nb.unsqueeze(x, Number.NaN), code: "ERR_ARGUMENT" },
    ],
  ),
  flatten: moving(
    [
      one([2, 3, 4], (v) => nb.flatten(v, 1), same([2, 12])),
      one([2, 3, 4], (v) => nb.flatten(v, 0, 1), same([6, 4])),
      one([], (v) => nb.flatten(v), same([1])),
      one(
        [2, 3],
        (v) => nb.flatten(v.t()),
        (v) => same([6])(permute(v, [1, 0])),
      ),
      one([2, 0], (v) => nb.flatten(v), same([0])),
      one([3, 30011], (v) => nb.flatten(v), same([90033])),
    ],
    [
      ...wrongDims((dim) => nb.flatten(x, dim)),
      { what: "start after end", call: () => nb.flatten(x, 1, 0), code: "ERR_AXIS" },
    ],
  ),
  flip: moving(
    [
      one([5], (v) => nb.flip(v, 0), turn(0)),
      one([2, 3, 4], (v) => nb.flip(v, [0, -1]), turn(0, 2)),
      one([0, 2], (v) => nb.flip(v, 1), turn(1)),
      one([1], (v) => nb.flip(v, 0), turn(0)),
      one([3, 30011], (v) => nb.flip(v, [0, 1]), turn(0, 1)),
    ],
    [
      ...wrongDims((dim) => nb.flip(x, dim)),
      { what: "no dims", call: () => nb.flip(x, undefined as never), code: "ERR_ARGUMENT" },
    ],
  ),
  contiguous: moving(
    [
      one([2, 3], nb.contiguous, (v) => v),
      one([2, 3], (v) => nb.contiguous(v.t()), swap([1, 0])),
      one([], nb.contiguous, (v) => v),
      one([3, 30011], (v) => nb.contiguous(v.t()), swap([1, 0])),
    ],
    [],
  ),
  alias: moving(
    [
      one(
        [2, 3],
        (v) => row("alias").replay([v], undefined),
        (v) => v,
      ),
      one(
        [3, 30011],
        (v) => row("alias").replay([v], undefined),
        (v) => v,
      ),
    ],
    [],
    { errors: notPublic },
  ),
  detach: moving(
    [one([2, 3], nb.detach, (v) => v), one([], nb.detach, (v) => v), one([3, 30011], nb.detach, (v) => v)],
    [],
    { gradient: "it stops gradients", "second order": "it stops gradients", duality: "it stops gradients" },
  ),
  stopGradient: moving([one([2, 3], nb.stopGradient, (v) => v), one([3, 30011], nb.stopGradient, (v) => v)], [], {
    gradient: "it stops gradients",
    "second order": "it stops gradients",
    duality: "it stops gradients",
  }),
};
