// npm run prove: runs the laws over all ops and writes what they have proven to test/ops/proofs.json, and FEATURES.md from it.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { packageBin, root, runNode } from "./common.mjs";

await build(["native", "lib", "types"]);
const folder = mkdtempSync(join(tmpdir(), "nabla-proofs-"));
try {
  process.env.NABLA_PROOFS = folder;
  runNode([packageBin("vitest"), "run", "test/ops/laws"]);
  const parts = readdirSync(folder)
    .sort()
    .map((file) => {
      const lists = JSON.parse(readFileSync(join(folder, file), "utf8"));
      const lines = Object.entries(lists).map(([what, ops]) => `    ${JSON.stringify(what)}: ${JSON.stringify(ops)}`);
      return `  ${JSON.stringify(file.replace(".json", ""))}: {\n${lines.join(",\n")}\n  }`;
    });
  writeFileSync(join(root, "test/ops/proofs.json"), `{\n${parts.join(",\n")}\n}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
runNode([join(root, "scripts/features.mjs")]);
