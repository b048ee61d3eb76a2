// Ends by itself, whatever it did.
import { DataParallel, tensor, zeros } from "nabla";
import { job } from "./common.mjs";

const what = process.argv[2];
const dp = new DataParallel(job("mlp"), { workers: 2 });
const batch = [zeros([64, 8]), tensor(new Int32Array(64))];
if (what !== "constructed") await dp.backward(batch);
if (what === "exits") {
  dp.backward(batch);
  setTimeout(() => process.exit(5), 1);
}
if (what === "throws") {
  dp.backward(batch);
  setTimeout(() => {
    throw new Error("uncaught in main");
  }, 1);
}
if (what === "abandons") void dp.backward(batch);
