/** Results of fused kernels whose derivative comes from ordinary ops, which run when it is needed. */
import { fail } from "../core/errors.js";
import { isTracked } from "../engine/batched.js";
import { withGrad } from "../engine/modes.js";
import { privateRow, type Row } from "../engine/row.js";
import type { Context } from "../engine/rule.js";
import { OpNode } from "../engine/tape.js";
import type { Tensor } from "../tensor/tensor.js";

/** The row of nodes that are recomputed by `run` from their saved inputs. */
export const recomputedRow = <P>(name: string, run: (node: OpNode) => Tensor): Row<P> =>
  privateRow<P>({
    name,
    family: "fused",
    kernel: null,
    inputs: 0,
    accuracy: "exact",
    opaque: true,
    rule: { kind: "recomputed", run: (c: Context<P>) => run(c as OpNode & Context<P>) },
    replay: () => fail("ERR_GRADIENT", name, "cannot be replayed"),
  });

/**
 * Records `value`, the result of a kernel without a derivative rule, as the result of `f`, which computes the same by
 * ordinary ops.
 */
export function recordAs(
  name: string,
  value: Tensor,
  inputs: readonly Tensor[],
  f: (inputs: readonly Tensor[]) => Tensor,
): Tensor {
  if (!inputs.some(isTracked)) return value;
  const row = recomputedRow<undefined>(name, (node) => {
    const kept = inputs.map((_, i) => node.unpack(i + 1, true) as Tensor);
    return withGrad(true, () => f(kept));
  });
  const node = new OpNode(row, inputs, undefined, value.shape, value.type, value.type);
  node.pin([null, ...inputs]);
  value.node = node;
  return value;
}
