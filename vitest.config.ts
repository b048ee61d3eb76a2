import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const built = (path: string) => fileURLToPath(new URL(`./dist/${path}`, import.meta.url));

const timing = "test/**/*.timing.test.ts";

export default defineConfig({
  test: {
    // What measures time comes after everything else and runs by itself: other tests would take its cores.
    projects: [
      {
        extends: true,
        test: { name: "all", include: ["test/**/*.test.ts"], exclude: [timing], sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: { name: "timing", include: [timing], fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
    pool: "forks", // one process per file: a crash of native code names its file and takes nothing else with it
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // The tests use the built package as its users have it. It stays outside of vite, so that test files, job modules
    // and workers share one instance, and coverage of dist is that of the shipped code.
    alias: [
      { find: /^nabla\/internal$/, replacement: built("internal.js") },
      { find: /^nabla$/, replacement: built("index.js") },
    ],
    server: { deps: { external: [/\/(dist|build\/docs)\/[^/]+\.js$/] } },
  },
});
