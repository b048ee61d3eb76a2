/** What the laws have proven of each op: `npm run prove` writes it to proofs.json, and every other run must agree with that. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";

/** Lists of ops, by what is true of them. */
export type Lists = Readonly<Record<string, readonly string[]>>;

/** Where the parts are written to, in a run that proves. */
const folder = process.env.NABLA_PROOFS;
const recorded = fileURLToPath(new URL("../proofs.json", import.meta.url));

export function agreeOn(part: string, found: Lists): void {
  if (folder !== undefined) writeFileSync(join(folder, `${part}.json`), JSON.stringify(found));
  else {
    const all = JSON.parse(readFileSync(recorded, "utf8")) as Readonly<Record<string, Lists>>;
    expect(found, `${part} in test/ops/proofs.json; after a change, npm run prove`).toEqual(all[part]);
  }
}

/** Ops by their proof or the reason why there is none, in their order. */
export function byProof(ops: Iterable<string>, proofOf: (op: string) => string | undefined): Lists {
  const lists: Record<string, string[]> = {};
  for (const op of ops) {
    const proof = proofOf(op) ?? "";
    lists[proof] = [...(lists[proof] ?? []), op];
  }
  return lists;
}
