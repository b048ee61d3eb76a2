// npm start: trains on the digits, from a fresh clone on. Arguments go to examples/mnist.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { root } from "./common.mjs";
import { ensure } from "./ensure.mjs";

await ensure(["native", "lib", "examples"]);
const program = join(root, "build", "examples", "mnist", "main.js");
const child = spawn(process.execPath, [program, ...process.argv.slice(2)], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => {
  process.exitCode = code ?? 128 + (signal === "SIGINT" ? 2 : 15);
});
