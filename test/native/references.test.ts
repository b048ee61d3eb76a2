/** A kernel that rounds has a reference in a wider type, with its error: this fails while it is missing. */
import { readdirSync, readFileSync } from "node:fs";
import "nabla";
import { table } from "nabla/internal";
import { expect, test } from "vitest";

const folder = new URL("../cpp/kernels/", import.meta.url);
const checks = readdirSync(folder)
  .filter((name) => /\.(cc|h)$/.test(name) && name !== "digest.cc")
  .map((name) => readFileSync(new URL(name, folder), "utf8"))
  .join("\n");

test("each elementwise kernel with an error bound is checked in test/cpp/kernels, most by a row of reference.h", () => {
  const rounding = [...table.values()].filter(
    ({ family, accuracy }) =>
      ["unary", "binary", "ternary"].includes(family) && typeof accuracy === "number" && accuracy > 0,
  );
  expect(rounding.length).toBeGreaterThan(30);
  const checked = (kernel: string | null) => new RegExp(`X\\(${kernel},|Elementwise::${kernel}\\b`).test(checks);
  const unchecked = rounding.map(({ kernel }) => kernel).filter((kernel) => !checked(kernel));
  expect(unchecked, "kernels without a row in test/cpp/kernels/reference.h").toEqual([]);
});
