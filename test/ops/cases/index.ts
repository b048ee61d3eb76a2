/** One case for every op. A public op without one does not compile; a row without one fails the first test. */
import type * as nabla from "nabla";
import { activationCases } from "./activation.js";
import { attentionCases } from "./attention.js";
import { binaryCases, compareCases } from "./binary.js";
import type { Case } from "./case.js";
import { castCases } from "./cast.js";
import { checkedCases } from "./checked.js";
import { convCases } from "./conv.js";
import { diagonalCases } from "./diagonals.js";
import { einsumCases } from "./einsum.js";
import { crossEntropyCases, softmaxCases } from "./fused.js";
import { inPlaceCases } from "./in-place.js";
import { indexCases } from "./index-ops.js";
import { linalgCases } from "./linalg.js";
import { lookupCases } from "./lookup.js";
import { lossCases } from "./losses.js";
import { maskCases } from "./masks.js";
import { matmulCases } from "./matmul.js";
import { movementCases } from "./movement.js";
import { multinomialCases } from "./multinomial.js";
import { normCases } from "./norm.js";
import { pieceCases } from "./pieces.js";
import { poolCases } from "./pool.js";
import { quantileCases } from "./quantile.js";
import { randomCases } from "./random.js";
import { recurrentCases } from "./recurrent.js";
import { reduceCases, sumToCases } from "./reduce.js";
import { repeatCases } from "./repeat.js";
import { scanCases } from "./scan.js";
import { searchCases } from "./search.js";
import { sortCases } from "./sort.js";
import { unaryCases } from "./unary.js";
import { vectorNormCases } from "./vector-norm.js";

type Api = typeof nabla;
type Results = nabla.Tensor | readonly nabla.Tensor[];
/** Every exported function that gives a tensor, or several. */
type GivesTensor = {
  [K in keyof Api]: Api[K] extends (...args: never[]) => infer R
    ? [R] extends [never]
      ? never
      : R extends Results
        ? K
        : never
    : never;
}[keyof Api];
/** Makes, finds or reads tensors, takes a function, or is another name of an op: no op. */
type NoOp =
  | keyof typeof import("../../../lib/tensor/create.js")
  | keyof typeof import("../../../lib/tensor/from-data.js")
  | "attach"
  | "decodeNpy"
  | "jvp"
  | "checkpoint"
  | "functionalCall"
  | "var";

export type OpName = Exclude<GivesTensor, NoOp>;

/** As the tables of FEATURES.md show them. */
export const groups = {
  elementwise: { ...unaryCases, ...activationCases, ...binaryCases, ...compareCases, ...castCases },
  reductions: { ...reduceCases, ...sumToCases, ...vectorNormCases, ...quantileCases },
  "scans and sorting": { ...scanCases, ...sortCases, ...searchCases },
  movement: { ...movementCases, ...pieceCases, ...diagonalCases, ...repeatCases, ...inPlaceCases },
  indexing: { ...indexCases, ...lookupCases, ...maskCases, ...checkedCases },
  "matrix products": { ...matmulCases, ...einsumCases },
  "linear algebra": { ...linalgCases },
  "neural networks": {
    ...softmaxCases,
    ...normCases,
    ...convCases,
    ...poolCases,
    ...attentionCases,
    ...recurrentCases,
  },
  losses: { ...crossEntropyCases, ...lossCases },
  random: { ...randomCases, ...multinomialCases },
};

const all = {
  ...groups.elementwise,
  ...groups.reductions,
  ...groups["scans and sorting"],
  ...groups.movement,
  ...groups.indexing,
  ...groups["matrix products"],
  ...groups["linear algebra"],
  ...groups["neural networks"],
  ...groups.losses,
  ...groups.random,
} satisfies Record<OpName, Case>;

/** By name: public ops, rows that no public function names, and other ways to call either. */
export const cases: ReadonlyMap<string, Case> = new Map(Object.entries(all));
