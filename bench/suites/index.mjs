import { conv } from "./conv.mjs";
import { elementwise } from "./elementwise.mjs";
import { matmul } from "./matmul.mjs";
import { memory } from "./memory.mjs";
import { overhead } from "./overhead.mjs";
import { parallel } from "./parallel.mjs";
import { startup } from "./startup.mjs";
import { trainConv } from "./train-conv.mjs";
import { trainMlp } from "./train-mlp.mjs";

/** All suites, in the order they run. */
export const suites = [matmul, elementwise, overhead, trainMlp, conv, trainConv, parallel, memory, startup];
