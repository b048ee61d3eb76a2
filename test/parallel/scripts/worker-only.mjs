// The main thread never loads the library; workers do, one after the other and two at once, then main goes on for a while.
import { Worker } from "node:worker_threads";

const code = `
  import(process.env.NABLA_ENTRY).then(({ ones, memory }) => {
    const x = ones([512, 512]);
    const y = x.matmul(x).sum().item();
    require("node:worker_threads").parentPort.postMessage(y);
  });`;
const run = () =>
  new Promise((resolve, reject) => {
    const worker = new Worker(code, { eval: true });
    let said;
    worker
      .on("message", (value) => {
        said = value;
      })
      .on("error", reject)
      .on("exit", () => resolve(said));
  });
const said = [await run(), await run(), ...(await Promise.all([run(), run()]))];
await new Promise((resolve) => setTimeout(resolve, 100));
console.log(JSON.stringify(said));
