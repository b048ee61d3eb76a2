/** Rows scaled to mean 0 and variance 1, or to mean square 1: what the norms rest on. */
import { apply } from "../engine/apply.js";
import { perInput } from "../engine/cost.js";
import { type Batch, defineKernel, defineRow, eitherHalf, type Operand, type Row } from "../engine/row.js";
import { general, type Rule, sumOf } from "../engine/rule.js";
import { runKernel } from "../engine/run-kernel.js";
import type { Tensor } from "../tensor/tensor.js";
import { meanSquare, variance } from "./variance.js";

export interface Standard {
  readonly eps: number;
  /** Whether the mean is subtracted first. */
  readonly centred: boolean;
}

/** The kernels: of the rows, which also takes halves, and of their Jacobian. */
const scales = { kernel: "standardize", flops: perInput(8), halves: true, reads: eitherHalf(0) };
const scalesBackward = { kernel: "standardizeBackward", flops: perInput(12) };

function fused(
  name: string,
  inputs: number,
  computes: typeof scales | typeof scalesBackward,
  rule: Rule<Standard>,
  batch: Batch<Standard> = {},
): Row<Standard> {
  const row: Row<Standard> = defineRow<Standard>({
    name,
    family: "fused",
    ...computes,
    inputs,
    accuracy: "tree",
    rule,
    replay: (operands, p) => run(row, operands as Tensor[], p),
    batch,
  });
  return row;
}

function run(row: Row<Standard>, operands: readonly Tensor[], p: Standard): Tensor {
  const dense = operands.map((x) => x.contiguous());
  const { type, shape } = dense[0]!;
  return apply(row, dense, type, type, shape, attrsOf(p), p);
}

const attrsOf = (p: Standard): number[] => [p.eps, p.centred ? 1 : 0];

const keepdim = true;
const along = (x: Tensor): Tensor => x.sum(-1, { keepdim });

// y = P x / r with r = sqrt(mean((P x)^2) + eps), where P subtracts the mean, or is the identity. As y is the gradient
// of n r, its Jacobian J = (P - y yᵀ / n) / r is symmetric, so one row serves both directions.
const standardizeRow = fused(
  "standardize",
  1,
  scales,
  general(["x"], {
    vjp: (g, [x], c) => [jacobian(g, x, c.params)],
    fused: (g, [x], { params }) => {
      const { type, shape } = x;
      if (!type.half) return null;
      const inputs = [g.contiguous(), x.contiguous()];
      return runKernel({ row: backwardRow, inputs, results: [{ type, shape }], attrs: attrsOf(params), params });
    },
    jvp: ([t], [x], c) => jacobian(t!, x, c.params),
  }),
);
export const standardize = (x: Tensor, p: Standard): Tensor => run(standardizeRow, [x], p);

const backwardRow: Row<Standard> = fused(
  "standardizeBackward",
  2,
  scalesBackward,
  general(["x", "y"], {
    vjp: (h, [g, x], { params }, needs) => [
      needs[0] ? jacobian(h, x, params) : null,
      needs[1] ? curvature(h, g, x, params) : null,
    ],
    jvp: ([tg, tx], [g, x], { params }) =>
      sumOf([tg ? jacobian(tg, x, params) : null, tx ? curvature(tx, g, x, params) : null]),
  }),
);
const jacobian = (g: Tensor, x: Tensor, p: Standard): Tensor => run(backwardRow, [g, x], p);

/** The derivative of <h, J g> with respect to x. It is symmetric in h and g, being a third derivative of n r. */
function curvature(h: Tensor, g: Tensor, x: Tensor, p: Standard): Tensor {
  const y = standardize(x, p);
  const jh = jacobian(h, x, p);
  const jg = jacobian(g, x, p);
  const square = p.centred ? variance(x, -1, { correction: 0, keepdim }) : meanSquare(x, -1, { keepdim });
  const scale = square
    .add(p.eps)
    .rsqrt()
    .mul(-1 / x.shape[x.ndim - 1]!);
  return y
    .mul(along(h.mul(jg)))
    .add(jh.mul(along(g.mul(y))))
    .add(jg.mul(along(h.mul(y))))
    .mul(scale);
}

/** The gradients of x, weight and bias at once. */
const affineBackward = defineKernel<Standard>({
  name: "scaledNormBackward",
  family: "fused",
  accuracy: "tree",
  flops: perInput(14),
});

/** Normalized rows times a weight, and perhaps plus a bias. */
const affineRow = (name: string, inputs: number): Row<Standard> =>
  fused(
    name,
    inputs,
    scales,
    general(["x", "y"], {
      vjp: (g, [x, w], { params }, needs) => [
        needs[0] ? jacobian(g.mul(w), x, params) : null,
        needs[1] ? g.mul(standardize(x, params)) : null,
        ...(inputs > 2 ? [g] : []),
      ],
      fused: (g, [x, w], { params }) => {
        const dense = [g, x, w].map((each) => each.contiguous());
        const results = [x, w, w].map(({ shape }) => ({ type: x.type, shape }));
        return runKernel({ row: affineBackward, inputs: dense, results, attrs: attrsOf(params), params }).slice(
          0,
          inputs,
        );
      },
      jvp: ([tx, tw, tb], [x, w], { params, shape }) =>
        sumOf([
          tx ? jacobian(tx, x, params).mul(w) : null,
          tw ? standardize(x, params).mul(tw) : null,
          tb ?? null,
        ]).expand(shape),
    }),
    { shared: [1, 2], params: (p) => p, composed: affine },
  );
function affine([x, weight, bias]: readonly Operand[], p: Standard): Tensor {
  const scaled = standardize(x as Tensor, p).mul(weight!);
  return bias === undefined ? scaled : scaled.add(bias);
}
const layerRow = affineRow("layerNorm", 3);
const rmsRow = affineRow("rmsNorm", 2);

/** The standardized rows times a weight, and plus a bias if there is one. */
export const scaledRows = (x: Tensor, weight: Tensor, bias: Tensor | null, p: Standard): Tensor =>
  bias === null ? run(rmsRow, [x, weight], p) : run(layerRow, [x, weight, bias], p);
