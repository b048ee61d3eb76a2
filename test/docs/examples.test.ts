import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { transformSync } from "esbuild";
import * as nabla from "nabla";
import * as internal from "nabla/internal";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { literal, matches } from "./claim.js";
import * as context from "./context.js";
import {
  codeBlocks,
  docComments,
  docExamples,
  type Example,
  nameOf,
  read,
  root,
  sources,
  tableCells,
} from "./extract.js";
import { withClaims } from "./statements.js";

const examples = docExamples("lib");
const blocks = codeBlocks("README.md");
const cells = tableCells("README.md", /^\| PyTorch \| nabla \|$/m);

const out = join(root, "build", "docs");
const { enterFolder, ...given } = context;
const quiet = { log: () => {}, error: () => {} };
// `var` is a reserved word: examples know it as `variance`.
const { var: _, ...named } = nabla;
const scope: Record<string, unknown> = { ...internal, ...named, ...given, console: quiet };
const toJavaScript = (code: string): string => transformSync(code, { loader: "ts", target: "node20" }).code;

function claim(value: unknown, comment: string): void {
  const expected = literal(comment);
  if (expected === undefined && comment !== "undefined") expect(String(value)).toBe(comment);
  else if (!matches(value, expected)) expect.fail(`the comment says ${comment}, the value is ${show(value)}`);
}

const show = (value: unknown): string =>
  JSON.stringify(value, (_, item) => (typeof item === "bigint" || Number.isNaN(item) ? String(item) : item));

async function runExample({ code }: Example): Promise<void> {
  const body = toJavaScript(`async function example() {\n${withClaims(code).code}\n}`);
  await new Function("claim", ...Object.keys(scope), `${body}\nreturn example();`)(claim, ...Object.values(scope));
}

/** The path of the module that holds a block of README, without its extension. */
const fileOf = (block: Example, i: number): string => join(out, block.name || `readme-${i + 1}`);

beforeAll(async () => {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const names = (module: object): string => Object.keys(module).join(", ");
  const known = new Set(Object.keys(nabla));
  const onlyInternal = Object.fromEntries(Object.entries(internal).filter(([name]) => !known.has(name)));
  const imports = [
    `import { ${names(named)} } from "nabla";`,
    `import { ${names(onlyInternal)} } from "nabla/internal";`,
    `import { ${names(given)} } from "../../test/docs/context.js";`,
  ];
  const functions = [...examples, ...cells].map(
    ({ where, code }, i) => `// ${where}\nexport async function example${i}() {\n${code}\n}`,
  );
  writeFileSync(join(out, "examples.ts"), [...imports, ...functions].join("\n"));
  for (const [i, block] of blocks.entries()) {
    const file = fileOf(block, i);
    writeFileSync(`${file}.ts`, block.code);
    writeFileSync(`${file}.js`, toJavaScript(withClaims(block.code).code));
  }
  folder = await enterFolder();
});
let folder: string;
afterAll(() => {
  process.chdir(root);
  rmSync(folder, { recursive: true });
});

test("the documented code is type-correct", () => {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const { stdout } = spawnSync(process.execPath, [tsc, "-p", "test/docs"], { cwd: root, encoding: "utf8" });
  expect(stdout).toBe("");
});

test("every public op is documented with an example", () => {
  const exported = /^export (?:abstract )?(?:async )?(?:const|function|class) (\w+)/gm;
  const ops = sources("lib/ops").flatMap((file) => {
    if (file.endsWith("activation-backward.ts")) return []; // called by derivative rules alone, so not public
    const text = read(file);
    const documented = docComments(text).filter(({ words }) => /^@(example|internal)\b/m.test(words));
    const names = new Set(documented.map(({ code }) => nameOf(code)));
    const found = [...text.matchAll(exported)].map(([, name]) => name!).filter((name) => name in nabla);
    return found.map((name) => ({ op: `${file} ${name}`, documented: names.has(name) }));
  });
  expect(ops.filter(({ documented }) => !documented)).toEqual([]);
  expect(ops.length).toBeGreaterThan(150);
});

describe("examples of the doc comments", () => {
  test.each(examples)("$where $name", runExample);
  test("are there, and claim something", () => {
    expect(examples.length).toBeGreaterThan(200);
    expect(examples.filter(({ code }) => withClaims(code).claims > 0).length).toBeGreaterThan(0.8 * examples.length);
  });
});

describe("README", () => {
  test.each(blocks.map((block, i) => ({ ...block, file: fileOf(block, i) })))("$where", async ({ file }) => {
    const prose = (value: unknown, comment: string): void => {
      if (literal(comment) !== undefined) claim(value, comment);
    };
    Object.assign(globalThis, { claim: prose });
    await import(pathToFileURL(`${file}.js`).href);
  });
  test.each(cells)("$where $name", runExample);
});
