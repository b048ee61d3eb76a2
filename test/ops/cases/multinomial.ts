import * as nb from "nabla";
import { count } from "../../reference/array.js";
import * as philox from "../../reference/random.js";
import { badOptions, generator, key, random } from "./random.js";
import { places } from "./sort.js";

/** Rows of the last dimension. */
function rows(values: readonly number[], n: number): number[][] {
  return Array.from({ length: values.length / n }, (_, r) => values.slice(r * n, (r + 1) * n));
}
const weights = { name: "weights", domain: [0.1, 3] } as const;
const shapes = [[5], [1], [3, 4]];

export const multinomialCases = {
  multinomial: random({
    inputs: [weights],
    shapes,
    large: [3, 3001],
    call: ([p], shape) => nb.multinomial(p!, shape.at(-1)!, { generator: generator() }),
    reference: ([p], shape) => {
      const uniform = rows(philox.uniform(key(), count(shape), false), shape.at(-1)!);
      return rows(p!.data, shape.at(-1)!).flatMap((row, r) =>
        places(
          row.map((weight, i) => -Math.log1p(-uniform[r]![i]!) / weight),
          false,
        ),
      );
    },
    result: () => "int32",
    accuracy: "exact",
    errors: [
      ...badOptions((o) => nb.multinomial(nb.ones([2]), 1, o)),
      { what: "a negative weight", call: () => nb.multinomial(nb.tensor([1, -1]), 1), code: "ERR_ARGUMENT" },
      { what: "an infinite weight", call: () => nb.multinomial(nb.tensor([1, Infinity]), 1), code: "ERR_ARGUMENT" },
      { what: "nothing to draw", call: () => nb.multinomial(nb.tensor([0, 0]), 1), code: "ERR_ARGUMENT" },
      {
        what: "too little to draw",
        call: () => nb.multinomial(nb.tensor([1, 0]), 2),
        code: "ERR_ARGUMENT",
        says: /; expected at least 2, got 1/,
      },
      { what: "no draw", call: () => nb.multinomial(nb.ones([2]), 0), code: "ERR_ARGUMENT" },
      { what: "NaN draws", call: () => nb.multinomial(nb.ones([2]), Number.NaN), code: "ERR_ARGUMENT" },
      { what: "integers", call: () => nb.multinomial(nb.ones([2], { dtype: "int32" }), 1), code: "ERR_DTYPE" },
      { what: "rank 0", call: () => nb.multinomial(nb.scalar(1), 1), code: "ERR_SHAPE" },
    ],
  }),
  "multinomial, replacement": random({
    inputs: [weights],
    shapes,
    large: [3, 3001],
    call: ([p], shape) => nb.multinomial(p!, shape.at(-1)!, { generator: generator(), replacement: true }),
    reference: ([p], shape) => {
      const uniform = rows(philox.uniform(key(), count(shape), false), shape.at(-1)!);
      return rows(p!.data, shape.at(-1)!).flatMap((row, r) => {
        let sum = 0;
        const sums = row.map((weight) => {
          sum += weight;
          return sum;
        });
        return uniform[r]!.map((u) => sums.filter((each) => each <= u * sum).length);
      });
    },
    result: () => "int32",
    accuracy: "exact",
    errors: [],
    exempt: { errors: "multinomial's own" },
  }),
};
