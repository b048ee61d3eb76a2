import { autograd } from "./autograd.mjs";
import { conv } from "./conv.mjs";
import { elementwise } from "./elementwise.mjs";
import { gemm } from "./gemm.mjs";
import { memory } from "./memory.mjs";
import { optim } from "./optim.mjs";
import { overhead } from "./overhead.mjs";
import { parallel } from "./parallel.mjs";
import { reduce } from "./reduce.mjs";
import { startup } from "./startup.mjs";
import { trainConv } from "./train-conv.mjs";
import { trainMlp } from "./train-mlp.mjs";

/** All suites, in the order they run. */
export const suites = [
  gemm,
  elementwise,
  reduce,
  optim,
  conv,
  overhead,
  trainMlp,
  trainConv,
  autograd,
  parallel,
  memory,
  startup,
];
