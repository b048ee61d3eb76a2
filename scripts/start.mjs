// npm start: trains on the digits, from a fresh clone on. Arguments are those of `nabla train`.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./common.mjs";
import { ensure } from "./ensure.mjs";

await ensure(["native", "lib", "examples"]);
const cli = join(root, "dist", "cli.js");
const job = join(root, "build", "examples", "digits", "mlp.js");
// In this process, so that signals reach the run once.
process.argv.splice(1, 1, cli, "train", job);
await import(pathToFileURL(cli).href);
