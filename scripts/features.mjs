// FEATURES.md from the table of ops and from what the laws have proven: `node scripts/features.mjs` writes it, `--check`
// fails where it is out of date.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./common.mjs";

const { dtypes, table } = await import(new URL("../dist/internal.js", import.meta.url));
const nabla = await import(new URL("../dist/index.js", import.meta.url));
const proofs = JSON.parse(readFileSync(join(root, "test/ops/proofs.json"), "utf8"));

if (table.size < 50) throw new Error(`the table has only ${table.size} rows`);

/** The reasons for what is missing, in the order in which the tables first name them. */
const reasons = [];
const note = (reason) => {
  if (!reasons.includes(reason)) reasons.push(reason);
  return `[${reasons.indexOf(reason) + 1}]`;
};

/** What a law says of a case: a proof, or why there is none. */
const said = {};
for (const [law, lists] of Object.entries(proofs))
  said[law] = new Map(Object.entries(lists).flatMap(([proof, cases]) => cases.map((name) => [name, proof])));
const isReason = (proof) => proof.startsWith("not: ");

const creates = "it creates tensors; dtype is an option";

/** An op and its cases: its own, and those of other ways to call it. */
class Op {
  constructor(name, cases) {
    this.name = name;
    this.cases = cases;
    this.row = table.get(name);
  }
  /** What a law has proven of any case; else the reason. */
  of(law) {
    const all = this.cases.map((name) => said[law].get(name) ?? fail(`${law} says nothing of ${name}`));
    return all.find((proof) => !isReason(proof)) ?? all[0];
  }
  mark(law, show = () => "●") {
    const proof = this.of(law);
    return isReason(proof) ? note(proof.slice(5)) : show(proof);
  }
  /** What is not recorded has no derivative in forward mode either. */
  derivative(law) {
    const { rule } = this.row ?? {};
    const zero = rule?.kind === "elementwise" && rule.partials.every((partial) => partial === null);
    return this.mark(isReason(this.of("gradient")) ? "gradient" : law, () => (zero ? "0" : "●"));
  }
  /** Of halves: rounded once, or by the parts that an op is made of. */
  half(name) {
    const proofs = this.cases.map((one) => said.half.get(one));
    if (proofs.includes("once")) return "●";
    if (proofs.includes("by parts")) return "○";
    if (this.cases.some((one) => said.errors.get(one).split(" ").includes(name))) return "";
    return note(this.takesNone() ? creates : proofs.find(isReason).slice(5));
  }
  dtype(name) {
    if (dtypes[name].half) return this.half(name);
    const tried = this.cases.some((one) => said.value.get(one).split(" ").includes(name));
    if (tried) return "●";
    const refused = this.cases.some((one) => said.errors.get(one).split(" ").includes(name));
    return refused ? "" : note(this.takesNone() ? creates : this.others());
  }
  takesNone() {
    return this.of("vmap") === "not: it takes no tensor";
  }
  others() {
    const own = this.cases.map((one) => said.others.get(one)).find((reason) => reason !== undefined);
    return own ?? (isReason(this.of("errors")) ? this.of("errors").slice(5) : fail(`no reason for ${this.name}`));
  }
  accuracy() {
    const accuracy = this.row?.accuracy;
    if (accuracy === undefined) return "as its parts";
    return typeof accuracy === "number" ? `${accuracy} ulp` : accuracy === "tree" ? "fixed-order sum" : "exact";
  }
  line() {
    const cells = [
      this.name,
      this.row?.rule.kind ?? "composed",
      ...Object.keys(dtypes).map((dtype) => this.dtype(dtype)),
      ...["gradient", "duality", "second order"].map((law) => this.derivative(law)),
      this.mark("vmap", (way) => way),
      this.mark("errors"),
      this.accuracy(),
    ];
    return `| ${cells.join(" | ")} |`;
  }
}

function fail(message) {
  throw new Error(message);
}

/** The cases of a group by the op that they call. */
function opsOf(cases) {
  const byName = new Map();
  for (const one of cases) {
    const [name] = one.split(/[ ,]/);
    byName.set(name, [...(byName.get(name) ?? []), one]);
  }
  return [...byName].map(([name, all]) => new Op(name, all));
}

const short = {
  float32: "f32",
  float64: "f64",
  float16: "f16",
  bfloat16: "bf16",
  int32: "i32",
  int64: "i64",
  uint8: "u8",
};
const head = [
  "op",
  "rule",
  ...Object.keys(dtypes).map((name) => short[name] ?? name),
  "vjp",
  "jvp",
  "2nd",
  "vmap",
  "errors",
  "accuracy",
];
const groups = Object.entries(proofs.groups).map(([name, cases]) => [name, opsOf(cases)]);
const matrix = groups
  .map(([name, ops]) => {
    const rule = head.map(() => "---").join("|");
    return `### ${name}\n\n| ${head.join(" | ")} |\n|${rule}|\n${ops.map((op) => op.line()).join("\n")}`;
  })
  .join("\n\n");
const shown = groups.flatMap(([, ops]) => ops.map((op) => op.name));
const without = [...table.keys()].filter((name) => !shown.includes(name));
if (without.length > 0)
  fail(`proofs.json has no case of ${without.join(", ")}: add cases in test/ops/cases, then npm run prove`);

const functions = Object.keys(nabla).filter((name) => typeof nabla[name] === "function" && /^[a-z]/.test(name));
const rest = functions.filter((name) => !shown.includes(name)).sort();
const classes = (names) =>
  Object.keys(names)
    .filter((name) => /^[A-Z]/.test(name))
    .sort()
    .join(", ");

const page = `# Features

\`node scripts/features.mjs\` writes this page from the table of ops and from \`test/ops/proofs.json\`, in which the laws of
\`test/ops\` record what they have proven of each op. \`npm run check\` fails if the page is out of date.

## Ops: ${shown.length}

${table.size} of them are rows of the table of ops: each has a kernel or is a view. The others are composed of such rows.

The columns:

- **rule**: the kind of the row's derivative rule (see ARCHITECTURE.md), or "composed": then the derivatives are those of the parts.
- **bool** to **f64**: ● the value agrees with a float64 reference, to the accuracy in the last column. Empty: the dtype is refused with
  ERR_DTYPE, which a law checks. f16 and bf16 are storage formats, and all arithmetic is float32: ● the result is that of
  float32, rounded once; ○ it agrees within a tolerance, as the call that is tested rounds more than once.
- **vjp**: reverse mode agrees with central differences; \`backward\`, \`grad\` and \`vjp\` give the same bits. **jvp**: forward mode
  agrees with reverse mode, for all tangents together and each alone. **2nd**: second derivatives, reverse over reverse and
  forward over reverse, agree with differences of the first. 0: the derivative is zero everywhere.
- **vmap**: how vmap runs the op. The law compares value and gradient with a loop over the examples, for every choice of batched
  inputs. *broadcast*: by broadcasting; *batch axis first*: the kernel takes the batch axis in front; *more rows*: the examples
  are more rows of a matrix; *folded*: the batch axis is merged into images, groups or channels of a convolution; *composed*: a
  row runs as other ops; *composition*: the op is composed, and each part runs in its own way. None runs example by example.
- **errors**: wrong inputs of every kind that applies are refused with the right code and message.
- **accuracy**: the largest error in ulp of float32. "fixed-order sum": that of a sum in a fixed order. "as its parts": that of
  the ops it is composed of.
- A number in brackets: the reason why there is nothing to prove, in the list "Reasons" below the tables.

Every row also passes the laws of layouts, threads, instruction sets and memory. One exception: a matrix product of at most 8
rows over 64 terms or more adds them in another order if the larger factor is contiguous along them, so its bits depend on the
layout.

${matrix}

Reasons:

${reasons.map((reason, i) => `${i + 1}. ${reason}`).join("\n")}

## All other exports

${rest.join(", ")}

- nn: ${classes(nabla.nn)}; nn.functional and nn.init
- optim: ${classes(nabla.optim)}; clipGradNorm, clipGradValue
- classes: ${classes(nabla)}

## Command line

- \`nabla train\` runs a job: progress in a terminal or a log, metrics as JSON lines, TensorBoard files, a report in one HTML
  page, checkpoints by signals, exit codes for schedulers, \`--dry-run\`
- \`nabla info\`, \`nabla compare\` and \`nabla export\` look at files and runs

## Not included yet

A compiler for whole steps; GPUs; ONNX files; binaries for systems other than Linux x64.
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
