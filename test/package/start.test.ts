import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The modules of Node itself that a process has loaded by the end of the code. */
const loaded = (code: string): string[] =>
  JSON.parse(
    execFileSync(
      process.execPath,
      ["--input-type=module", "-e", `${code}; console.log(JSON.stringify(process.moduleLoadList))`],
      {
        cwd: root,
        encoding: "utf8",
      },
    ),
  );

test("an import of nabla has Node load none of its modules that nabla does not use", () => {
  const before = new Set(loaded(""));
  const added = loaded('import { tensor } from "nabla"; tensor([1, 2]).sum().item()').filter(
    (name) => !before.has(name),
  );
  expect(added.length).toBeGreaterThan(0);
  expect(added.filter((name) => /mime|parse_args|internal\/file|timers\/promises|crypto|zlib/.test(name))).toEqual([]);
});
