// FEATURES.md from the table of ops: `node scripts/features.mjs` writes it, `--check` fails where it is out of date.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./common.mjs";

const { table } = await import(new URL("../dist/internal.js", import.meta.url));
const nabla = await import(new URL("../dist/index.js", import.meta.url));

const derivative = {
  elementwise: "vjp, jvp, any order",
  linear: "vjp, jvp, any order",
  bilinear: "vjp, jvp, any order",
  general: "vjp, jvp, any order",
  none: "none",
};
const rows = [...table.values()];
if (rows.length < 50) throw new Error(`the table has only ${rows.length} rows`);
const families = [...new Set(rows.map((row) => row.family))].sort();

const cell = (row) => {
  const zero = row.rule.kind === "elementwise" && row.rule.partials.every((p) => p === null);
  const how =
    row.rule.kind === "none" ? `none: ${row.rule.reason}` : zero ? "zero everywhere" : derivative[row.rule.kind];
  const accuracy =
    typeof row.accuracy === "number" ? `${row.accuracy} ulp` : row.accuracy === "tree" ? "fixed-order sum" : "exact";
  return `| ${row.name} | ${row.rule.kind} | ${how} | ${accuracy} |`;
};
const ops = families
  .map((family) => {
    const lines = rows.filter((row) => row.family === family).map(cell);
    return `### ${family}\n\n| op | rule | derivatives | float32 accuracy |\n|---|---|---|---|\n${lines.join("\n")}`;
  })
  .join("\n\n");

const rowNames = new Set(rows.map((row) => row.name));
const functions = Object.keys(nabla).filter((name) => typeof nabla[name] === "function" && /^[a-z]/.test(name));
const composed = functions.filter((name) => !rowNames.has(name)).sort();
const classes = (names) =>
  Object.keys(names)
    .filter((name) => /^[A-Z]/.test(name))
    .sort()
    .join(", ");

const page = `# What there is

Made by \`node scripts/features.mjs\` from the table of ops; \`npm run check\` fails where it is out of date.

dtypes: float32, float64, int32, int64, uint8, bool; bfloat16 and float16 for storage, with float32 arithmetic, each result rounded
once. Derivatives exist for the float ones. Every row is run through the laws of
\`test/ops\`: value against a float64 reference, shapes and dtypes, layouts, first and second derivatives, forward against reverse
mode, threads, instruction sets, errors, memory.

## Rows of the table: ${rows.length}

"any order" means that the rule is ordinary tensor code and was checked to second order.

${ops}

## Functions made of them, and everything else that is exported

${composed.join(", ")}

- nn: ${classes(nabla.nn)}; nn.functional and nn.init
- optim: ${classes(nabla.optim)}; clipGradNorm, clipGradValue
- classes: ${classes(nabla)}

## Not there yet

compile; recurrent layers, TransformerEncoderLayer; npy, ONNX and checkpoint files; Trainer and the command
line; LBFGS, CosineAnnealingWarmRestarts, SequentialLR, ReduceLROnPlateau; binaries for anything but Linux x64.
`;

const path = join(root, "FEATURES.md");
if (process.argv.includes("--check")) {
  if (readFileSync(path, "utf8") !== page) {
    console.error("FEATURES.md is out of date: run node scripts/features.mjs");
    process.exit(1);
  }
} else {
  writeFileSync(path, page);
}
