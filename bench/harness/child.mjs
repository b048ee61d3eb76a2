// A contender written in JavaScript, alone in its process: node child.mjs MODULE SPEC
// Says what it computed, then runs as often as each line asks and says how long that took.
import { createInterface } from "node:readline";

const say = (fields) => process.stdout.write(`${JSON.stringify(fields)}\n`);
const [module, json] = process.argv.slice(2);
const spec = JSON.parse(json);

async function open() {
  try {
    const { version, cases } = await import(module);
    if (!cases[spec.kind]) return void say({ unsupported: `no case ${spec.kind}` });
    const opened = await cases[spec.kind](spec);
    say({ version: await version(), value: opened.value, metrics: opened.metrics });
    return opened;
  } catch (error) {
    const absent = error.code === "ERR_MODULE_NOT_FOUND" || error.code === "MODULE_NOT_FOUND";
    say({ [absent ? "absent" : (error.verdict ?? "failed")]: String(error.message).split("\n")[0] });
  }
}

const opened = await open();
if (opened) {
  for await (const line of createInterface({ input: process.stdin })) {
    const times = Number(line);
    const start = performance.now();
    const pending = opened.run(times);
    if (pending) await pending;
    say({ seconds: (performance.now() - start) / 1000 });
  }
  await opened.close?.(say);
}
