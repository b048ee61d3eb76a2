// Sums along axes, and orders.
import { tensor } from "nabla";
import { uniform } from "../harness/inputs.mjs";
import { probe, repeat } from "../harness/steps.mjs";

function reduce({ op, size, dim = null }) {
  const side = Math.sqrt(size);
  const x = tensor(uniform(size, 1), { shape: op === "sum" ? [side, side] : [size] });
  const step = {
    sum: () => (dim === null ? x.sum() : x.sum(dim)),
    sort: () => x.sort().values,
    argsort: () => x.argsort(),
    topk: () => x.topk(100).values,
  }[op];
  // Equal elements may stand in any order: what an order is good for is what it puts in place.
  const result = op === "argsort" ? x.indexSelect(0, step()) : step();
  return { value: dim === null && op === "sum" ? [result.item()] : probe(result.toTypedArray()), run: repeat(step) };
}

export const cases = { reduce };
