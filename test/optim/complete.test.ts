/** Nothing can be added without a test: these fail while it is missing. */
import { readFileSync } from "node:fs";
import { optim } from "nabla";
import { expect, test } from "vitest";

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");

test("each optimizer is compared with PyTorch, or by its formula where PyTorch has none", () => {
  const optimizers = Object.entries(optim as Record<string, unknown>)
    .filter(([, value]) => typeof value === "function" && value.prototype instanceof optim.Optimizer)
    .map(([name]) => name);
  expect(optimizers.length).toBeGreaterThan(5);
  const rows = new Set(
    (JSON.parse(read("./golden.json")) as { cases: { name: string }[] }).cases.map(({ name }) => name),
  );
  const formulas = ["./optimizer.test.ts", "./lbfgs.test.ts"].map(read).join("\n");
  const untried = optimizers.filter((name) => !rows.has(name) && !new RegExp(`describe\\("${name}\\b`).test(formulas));
  expect(untried, 'no row in golden.py, no describe("Name, ...") in optimizer.test.ts').toEqual([]);
});

test("each optimizer survives null gradients as PyTorch's does", () => {
  const text = read("./null-gradients.test.ts");
  const json = read("./null-gradients.json");
  const names = Object.entries(optim as Record<string, unknown>)
    .filter(([, value]) => typeof value === "function" && value.prototype instanceof optim.Optimizer)
    .map(([name]) => name);
  const untried = names.filter((name) => !text.includes(name) && !json.includes(`"${name}"`));
  expect(untried, "no row in null-gradients.py, nor a line in null-gradients.test.ts").toEqual([]);
});
