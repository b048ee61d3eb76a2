/** Applies a law to every case, and says how many it was applied to and why not to the others. */
import { afterAll, describe, expect, test } from "vitest";
import type { Case, Law } from "../cases/case.js";
import { cases } from "../cases/index.js";
import { agreeOn, byProof } from "./proofs.js";

/** Why a law cannot apply, where it follows from the case; undefined where it applies. */
type Excuse = (of: Case) => string | undefined;

/** `run` returns what it has proven, where that is more than that the law holds. */
export function law(name: Law, run: (op: string, of: Case) => unknown, excuse: Excuse = () => undefined): void {
  const bound: [string, Case][] = [];
  const proofs = new Map<string, string>();
  const reasons = new Map<string, string[]>();
  for (const [op, of] of cases) {
    const reason = of.exempt?.[name] ?? excuse(of);
    if (reason === undefined) bound.push([op, of]);
    else {
      reasons.set(reason, [...(reasons.get(reason) ?? []), op]);
      proofs.set(op, `not: ${reason}`);
    }
  }
  describe(`law: ${name}`, () => {
    test("applies to some row", () => expect(bound.length).toBeGreaterThan(0));
    test.each(bound)("%s", (op, of) => {
      const proven = run(op, of);
      proofs.set(op, typeof proven === "string" ? proven : "holds");
    });
    test("proves what it has proven before", () =>
      agreeOn(
        name,
        byProof(cases.keys(), (op) => proofs.get(op)),
      ));
    afterAll(() => {
      const lines = [...reasons].map(([reason, ops]) => `  ${ops.length} not: ${reason} (${ops.join(", ")})`);
      console.log([`law: ${name}: ${bound.length} of ${cases.size} cases`, ...lines].join("\n"));
    });
  });
}

export const isFloat = (dtype: string): boolean => dtype.includes("float");

/** The excuse of laws about derivatives. */
export function noDerivative(of: Case): string | undefined {
  if (!of.inputs.some((input) => input.dtype === undefined)) return "it takes no tensor";
  const double = of.dtypes.includes("float64");
  if (!isFloat(of.result(double ? "float64" : of.dtypes[0]!))) return "its result is not a float";
  if (!double) return "it takes no float64";
  return undefined;
}
