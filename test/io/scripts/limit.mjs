// A well-formed file whose tensors do not fit the limit: node limit.mjs PATH. Prints the error's code and the peak.
import { open } from "node:fs/promises";
import { loadSafetensors, memory } from "../../../dist/index.js";

const size = 2 ** 26;
const names = Array.from({ length: 8 }, (_, i) => `w${i}`);
const entries = names.map((name, i) => [
  name,
  { dtype: "U8", shape: [size], data_offsets: [i * size, (i + 1) * size] },
]);
const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
const start = Buffer.alloc(8);
start.writeBigUInt64LE(BigInt(json.length));
const file = await open(process.argv[2], "w");
await file.write(Buffer.concat([start, json]));
await file.truncate(8 + json.length + names.length * size);
await file.close();
const code = await loadSafetensors(process.argv[2]).then(
  () => "read",
  (error) => error.code,
);
console.log(JSON.stringify({ code, peak: memory().peakBytes }));
