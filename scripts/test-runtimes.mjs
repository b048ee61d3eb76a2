// npm run test:runtimes: a stranger's first minutes, and that memory is collected, on Bun and Deno.
import { build } from "./build.mjs";
import { run } from "./common.mjs";
import { runtime } from "./runtimes.mjs";

await build(["native", "lib"]);
for (const [kind, ...args] of [["bun"], ["deno", "run", "--allow-all", "--no-lock"]])
  for (const script of ["test/package/smoke.mjs", "test/package/collected.mjs"]) {
    console.log(`${kind}: ${script}`);
    run(runtime(kind), [...args, script]);
  }
