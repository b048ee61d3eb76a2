import { attention } from "./attention.mjs";
import { autograd } from "./autograd.mjs";
import { conv } from "./conv.mjs";
import { elementwise } from "./elementwise.mjs";
import { gemm } from "./gemm.mjs";
import { jobs } from "./jobs.mjs";
import { memory } from "./memory.mjs";
import { norm } from "./norm.mjs";
import { optim } from "./optim.mjs";
import { overhead } from "./overhead.mjs";
import { parallel } from "./parallel.mjs";
import { reduce } from "./reduce.mjs";
import { startup } from "./startup.mjs";
import { trainConv } from "./train-conv.mjs";
import { trainGpt } from "./train-gpt.mjs";
import { trainMlp } from "./train-mlp.mjs";

/** All suites, in the order they run. */
export const suites = [
  overhead,
  trainMlp,
  trainConv,
  trainGpt,
  autograd,
  parallel,
  jobs,
  memory,
  startup,
  gemm,
  conv,
  attention,
  norm,
  elementwise,
  reduce,
  optim,
];
