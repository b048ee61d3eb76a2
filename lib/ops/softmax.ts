/** Softmax and log-softmax as fused kernels, with their derivatives as rows of their own. */
import { axis } from "../core/shape.js";
import { apply } from "../engine/apply.js";
import { perResult } from "../engine/cost.js";
import { needFloat, needTensor } from "../engine/operand.js";
import { defineRow, eitherHalf, type Row, withRule } from "../engine/row.js";
import { general, type Rule } from "../engine/rule.js";
import { runKernel } from "../engine/run-kernel.js";
import type { Tensor } from "../tensor/tensor.js";

const noAttrs: readonly number[] = [];
const last = { keepdim: true } as const;

function fused(name: string, inputs: number, flops: number, rule: Rule<undefined>): Row<undefined> {
  const row: Row<undefined> = defineRow<undefined>({
    name,
    family: "fused",
    kernel: name,
    inputs,
    flops: perResult(flops),
    ...(inputs === 1 ? { halves: true, reads: eitherHalf(0) } : {}),
    accuracy: "tree",
    rule,
    replay: (operands) => run(row, operands as Tensor[]),
    batch: {},
  });
  return row;
}

const run = (row: Row<undefined>, operands: readonly Tensor[]): Tensor => {
  const dense = operands.map((x) => x.contiguous());
  const { type, shape } = dense[0]!;
  return apply((type.half && rowsOfHalves.get(row)) || row, dense, type, type, shape, noAttrs, undefined);
};

type General = Extract<Rule<undefined>, { kind: "general" }>;

const rowsOfHalves = new Map<Row<undefined>, Row<undefined>>();
/** What is saved of halves is x: the result, which the gradient needs, has been rounded. */
function differentiateHalves(row: Row<undefined>, backward: Row<undefined>): void {
  const rule = row.rule as General;
  const ofHalves = general<undefined, ["x"]>(["x"], {
    vjp: (g, [x], c, needs) => rule.vjp(g, [run(row, [x])], c, needs),
    fused: (g, [x], { params }) => {
      const { type, shape } = x;
      if (!type.half) return null;
      return runKernel({ row: backward, inputs: [g.contiguous(), x], results: [{ type, shape }], attrs: [1], params });
    },
    jvp: (t, [x], c) => rule.jvp(t, [run(row, [x])], c),
  });
  rowsOfHalves.set(row, withRule(row, ofHalves));
}

// dx = y (g - sum(g y)): a symmetric Jacobian, the same in both directions.
const softmaxRow = fused(
  "softmax",
  1,
  5,
  general(["out"], {
    vjp: (g, [y]) => [run(softmaxBackwardRow, [g, y])],
    jvp: ([t], [y]) => run(softmaxBackwardRow, [t!, y]),
  }),
);

const softmaxBackwardRow: Row<undefined> = fused(
  "softmaxBackward",
  2,
  4,
  general(["x", "y"], {
    vjp: (h, [g, y], _, needs) => [
      needs[0] ? run(softmaxBackwardRow, [h, y]) : null,
      needs[1] ? bySoftmax(h, g, y) : null,
    ],
    jvp: ([tg, ty], [g, y]) =>
      sumOf(tg ? run(softmaxBackwardRow, [tg, y]) : null, ty ? bySoftmaxForward(ty, g, y) : null),
  }),
);

const along = (x: Tensor): Tensor => x.sum(-1, last);
/** The vector-Jacobian product of y (g - sum(g y)) with respect to y. */
const bySoftmax = (h: Tensor, g: Tensor, y: Tensor): Tensor =>
  h.mul(g.sub(along(g.mul(y)))).sub(g.mul(along(h.mul(y))));
/** Its derivative with respect to y along t. */
const bySoftmaxForward = (t: Tensor, g: Tensor, y: Tensor): Tensor =>
  t.mul(g.sub(along(g.mul(y)))).sub(y.mul(along(g.mul(t))));
const sumOf = (a: Tensor | null, b: Tensor | null): Tensor => (a === null ? b! : b === null ? a : a.add(b));

// dx = g - exp(y) sum(g).
const logSoftmaxRow = fused(
  "logSoftmax",
  1,
  5,
  general(["out"], {
    vjp: (g, [y]) => [run(logSoftmaxBackwardRow, [g, y])],
    jvp: ([t], [y]) => t!.sub(along(y.exp().mul(t!))),
  }),
);

const logSoftmaxBackwardRow: Row<undefined> = fused(
  "logSoftmaxBackward",
  2,
  4,
  general(["x", "y"], {
    vjp: (h, [g, y], _, needs) => {
      const p = y.exp();
      return [needs[0] ? h.sub(along(h.mul(p))) : null, needs[1] ? h.mul(p).mul(along(g)).neg() : null];
    },
    jvp: ([tg, ty], [g, y]) =>
      sumOf(tg ? run(logSoftmaxBackwardRow, [tg, y]) : null, ty ? ty.mul(y.exp()).mul(along(g)).neg() : null),
  }),
);

differentiateHalves(softmaxRow, softmaxBackwardRow);
differentiateHalves(logSoftmaxRow, logSoftmaxBackwardRow);

function onLastDim(name: string, row: Row<undefined>, x: Tensor, dim: number): Tensor {
  needFloat(name, needTensor(name, x));
  const at = axis(name, dim, x.ndim);
  if (x.ndim === 0) return run(row, [x.reshape([1])]).reshape([]);
  return at === x.ndim - 1 ? run(row, [x]) : run(row, [x.movedim(at, -1)]).movedim(-1, at);
}

/**
 * `exp(x) / sum(exp(x))` along a dimension, without overflow.
 * @shape that of x. @dtype that of x.
 * @gradient y (g - sum(g y)) with y the result.
 * @throws ERR_DTYPE for an integer tensor; ERR_AXIS for a dim out of range.
 * @example tensor([0, 0]).softmax(0).toArray(); // [0.5, 0.5]
 */
export const softmax = (x: Tensor, dim: number): Tensor => onLastDim("softmax", softmaxRow, x, dim);

/**
 * The logarithm of {@link softmax}, also accurate where that is near 0.
 * @shape that of x. @dtype that of x.
 * @gradient g - softmax(x) sum(g).
 * @throws ERR_DTYPE for an integer tensor; ERR_AXIS for a dim out of range.
 * @example tensor([0, 0]).logSoftmax(0).toArray(); // [-0.693..., -0.693...]
 */
export const logSoftmax = (x: Tensor, dim: number): Tensor => onLastDim("logSoftmax", logSoftmaxRow, x, dim);
