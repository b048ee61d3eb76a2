import { elementwise } from "./elementwise.mjs";
import { gemm } from "./gemm.mjs";
import { memory } from "./memory.mjs";
import { overhead } from "./overhead.mjs";
import { parallel } from "./parallel.mjs";
import { startup } from "./startup.mjs";
import { trainMlp } from "./train-mlp.mjs";

/** All suites, in the order they run. */
export const suites = [gemm, elementwise, overhead, trainMlp, parallel, memory, startup];
