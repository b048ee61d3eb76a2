/** Exported functions that have no rows in golden.json, each with the reason: the one list of exceptions. */
const drawn = "random numbers: PyTorch's generator gives others";
const transform = "takes a function; its results are those of the ops inside";
const runtime = "about memory, threads or modes; no numbers come of it";
const files = "reads or writes data; no op";
const logic = "answers with a boolean or a description, not with a tensor";

const names = (reason: string, list: string): [string, string][] => list.split(" ").map((name) => [name, reason]);

export const without: ReadonlyMap<string, string> = new Map([
  ...names(
    drawn,
    "rand randn randLike randnLike randint randperm randomSplit normal bernoulli multinomial dropout manualSeed",
  ),
  ...names(
    transform,
    "backward checkpoint customFunction detectAnomaly fit functionalCall grad gradcheck hessian hvp inference jacfwd jacobian jacrev jvp noGrad scope valueAndGrad vjp vmap",
  ),
  ...names(
    runtime,
    "attach share defineJob getDefaultDtype setDefaultDtype isGradEnabled memory numThreads setNumThreads trim assertEqual tensorEquality",
  ),
  ...names(
    files,
    "decodeCifar fromIterable loadCifar parseCsv readCsv readJsonLines readText decodeIdx decodeNpy decodeNpz encodeNpy encodeNpz loadNpy loadNpz saveNpy saveNpz decodeSafetensors decodeSafetensorsMetadata encodeSafetensors loadCheckpoint loadIdx loadMnist loadSafetensors saveCheckpoint saveSafetensors",
  ),
  ...names(logic, "allClose equal isTensor formula graph summary"),
  ...names("writes in place; its rows are those of test/ops/cases", "assign"),
  ...names("makes an index for `at`, whose rows use it as a string", "slice"),
  ...names("another name of `var`, for named imports", "variance"),
  ...names("their rows stand in test/nn/golden.json, with all gradients", "lstm gru"),
]);
