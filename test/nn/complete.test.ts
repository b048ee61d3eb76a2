/** Nothing can be added without a test: these fail while it is missing. */
import { readdirSync, readFileSync } from "node:fs";
import * as nabla from "nabla";
import { nn } from "nabla";
import { expect, test } from "vitest";

const here = new URL(".", import.meta.url);
const texts = readdirSync(here)
  .filter((name) => name.endsWith(".test.ts") && name !== "complete.test.ts")
  .map((name) => readFileSync(new URL(name, here), "utf8"))
  .join("\n");
const golden = ["./golden.json", "../ops/golden/golden.json"]
  .map((name) => readFileSync(new URL(name, here), "utf8"))
  .join("\n");

test("each module is tried in test/nn", () => {
  const modules = Object.entries(nn).filter(
    ([, value]) => typeof value === "function" && value.prototype instanceof nn.Module,
  );
  expect(modules.length).toBeGreaterThan(40);
  const untried = modules.map(([name]) => name).filter((name) => !new RegExp(`\\b${name}\\b`).test(texts));
  expect(untried, "modules that no test in test/nn uses").toEqual([]);
});

test("each function that lives in nn.functional alone is compared with PyTorch", () => {
  const alone = Object.keys(nn.functional).filter((name) => !(name in nabla));
  expect(alone.length).toBeGreaterThan(0);
  const without = alone.filter((name) => !golden.includes(`"${name}"`));
  expect(without, "functions without rows in test/nn/golden.py or test/ops/golden/golden.py").toEqual([]);
});
