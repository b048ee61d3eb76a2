import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("the layout library is loaded by the first picture, not by nabla", () => {
  const index = fileURLToPath(new URL("../../dist/index.js", import.meta.url));
  const script = `
    import { createRequire } from "node:module";
    import { graph, scalar } from ${JSON.stringify(index)};
    const loaded = () => Object.keys(createRequire(import.meta.url).cache).filter((path) => path.includes("dagre")).length > 0;
    const g = graph(scalar(1));
    const before = loaded();
    g.toSvg();
    console.log(JSON.stringify([before, loaded()]));
  `;
  const out = execFileSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8" });
  expect(JSON.parse(out)).toEqual([false, true]);
});
