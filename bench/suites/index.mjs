import { attention } from "./attention.mjs";
import { elementwise } from "./elementwise.mjs";
import { matmul } from "./matmul.mjs";
import { memory } from "./memory.mjs";
import { norm } from "./norm.mjs";
import { overhead } from "./overhead.mjs";
import { parallel } from "./parallel.mjs";
import { startup } from "./startup.mjs";
import { trainGpt } from "./train-gpt.mjs";
import { trainMlp } from "./train-mlp.mjs";

/** All suites, in the order they run. */
export const suites = [matmul, elementwise, overhead, attention, norm, trainGpt, trainMlp, parallel, memory, startup];
