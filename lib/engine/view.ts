import { fail } from "../core/errors.js";
import type { Shape } from "../core/shape.js";
import { Tensor } from "../tensor/tensor.js";
import { intercepted } from "./intercept.js";
import { mode } from "./modes.js";
import type { Row } from "./row.js";
import { OpNode } from "./tape.js";

const noAttrs: readonly number[] = [];

/** The path of every op that returns a view. */
export function view<P>(
  row: Row<P>,
  x: Tensor,
  shape: Shape,
  layout: readonly number[] | null,
  offset: number,
  params: P,
): Tensor {
  if (mode.intercept !== null) return viewIntercepted(row, x, shape, layout, offset, params);
  const { handle } = x;
  if (handle.slot < 0) fail("ERR_DISPOSED", row.name, "the tensor has been disposed of");
  handle.users++;
  const node = mode.grad && x.node !== null ? new OpNode(row, [x], params, shape, x.type, x.type) : null;
  return new Tensor(handle, x.type, shape, layout, offset, node);
}

const viewIntercepted: typeof view = (row, x, shape, layout, offset, params) => {
  const { type } = x;
  const run = () => [view(row, x, shape, layout, offset, params)];
  return intercepted({ row, inputs: [x], attrs: noAttrs, params, results: [{ type, shape }] }, type, run)[0]!;
};
