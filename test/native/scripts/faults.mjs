// How many pages steps of training touch for the first time, and how many their results fill.
import { grad, tensor } from "../../../dist/index.js";

const x = tensor(new Float32Array(1 << 18).fill(0.5));
const slope = grad((y) => y.mul(y).add(1).relu().sum());
const faults = (steps) => {
  const before = process.resourceUsage().minorPageFault;
  for (let i = 0; i < steps; i++) slope(x).mul(0.1).sum().item();
  return process.resourceUsage().minorPageFault - before;
};
faults(100);
const steps = 100;
console.log(JSON.stringify({ faults: faults(steps), filled: (steps * 5 * x.numel * 4) / 4096 }));
