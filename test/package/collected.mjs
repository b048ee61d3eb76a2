// What a loop that never yields leaves in memory: results of 1.6 GB in all, of which a few MB are in use at a time.
import assert from "node:assert/strict";
import { memory, ones } from "nabla";

const x = ones([40_000]);
for (let i = 0; i < 5000; i++) x.add(1).mul(2);
const peak = memory().peakBytes / 2 ** 20;
assert(peak < 128, `results are collected in the loop: at most ${peak.toFixed(0)} MB were in use`);
console.log("memory is collected");
