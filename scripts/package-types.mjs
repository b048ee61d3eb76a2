// Compiles a project that uses the packed types, strictly and with them checked too, with the oldest and the newest
// TypeScript that README names.
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageBin, readJson, root, runNode } from "./common.mjs";

const compilers = ["typescript-oldest", "typescript"];
const resolutions = { node16: "node16", nodenext: "nodenext", bundler: "esnext" };

export function compileConsumer(consumer) {
  for (const file of ["uses.ts"]) cpSync(join(root, "test", "package", "consumer", file), join(consumer, file));
  for (const compiler of compilers) {
    for (const [moduleResolution, module] of Object.entries(resolutions)) {
      const compilerOptions = {
        target: "es2022",
        lib: ["es2022"],
        types: [],
        module,
        moduleResolution,
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        noImplicitOverride: true,
        verbatimModuleSyntax: true,
      };
      writeFileSync(join(consumer, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*.ts"] }));
      runNode([packageBin(compiler, "tsc"), "-p", "."], { cwd: consumer, quiet: true });
    }
    console.log(`types: TypeScript ${readJson(`node_modules/${compiler}/package.json`).version} compiles them`);
  }
}
