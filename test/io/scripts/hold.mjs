// Locks a file, starts a process that outlives this one, prints its id and waits: node hold.mjs PATH. Meant to be killed.
import { spawn } from "node:child_process";
import { lockFile } from "../../../dist/internal.js";

lockFile("hold", process.argv[2]);
const heir = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"], { detached: true, stdio: "ignore" });
heir.unref();
console.log(heir.pid);
setInterval(() => {}, 1000);
