// Writes metrics where files cannot grow beyond some blocks: node full-disk.mjs PATH. Prints the warnings and how many events
// are in the file.
import { MetricsFile, readEvents } from "../../../dist/internal.js";

const path = process.argv[2];
const warnings = [];
const file = new MetricsFile(path, (message) => warnings.push(message));
const step = {
  type: "step",
  epoch: 1,
  loss: 1,
  lr: 1,
  gradNorm: null,
  rows: 1,
  seconds: 1,
  wait: 0,
  missed: 0,
  log: {},
};
for (let i = 1; i <= 2000; i++) {
  file.observe({ ...step, step: i });
  if (i % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
}
file.stateDict();
await file.close();
let events = 0;
for await (const event of readEvents("test", path)) events = event.step;
console.log(JSON.stringify({ warnings, events }));
