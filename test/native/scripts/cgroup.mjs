// What a process in a control group sees of its limits, and what memory beyond them ends with.
import { memory, numThreads, ones } from "../../../dist/index.js";

const { limitBytes } = memory();
const held = [];
let code = "none";
try {
  for (;;) held.push(ones([2 ** 20]));
} catch (error) {
  code = error.code;
}
// As often again: what is refused once leaves the process as it was.
for (let i = 0; i < 20; i++) {
  held.pop();
  held.push(ones([2 ** 20]));
}
console.log(JSON.stringify({ code, limitBytes, liveBytes: memory().liveBytes, threads: numThreads() }));
