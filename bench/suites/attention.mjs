const rivals = ["pytorch", "pytorch-debian"];
const [heads, size] = [8, 64];
const lengths = [64, 256, 1024];
const cases = lengths.flatMap((length) =>
  [false, true].flatMap((causal) =>
    [false, true].map((backward) => ({
      name: `${length}${causal ? ", causal" : ""}, ${backward ? "forward and backward" : "forward"}`,
      spec: { kind: "attention", heads, length, size, causal, backward },
    })),
  ),
);

function trial({ name, spec }, threads) {
  return {
    title: `attention ${name}`,
    tolerance: 1e-4,
    metrics: [{ metric: "time", unit: "ms", of: (seconds) => seconds * 1e3 }],
    entries: ["nabla", ...rivals].map((contender) => ({ case: name, contender, threads, spec })),
  };
}

/** Scaled dot-product attention of 8 heads of 64, by the number of queries and keys. */
export const attention = {
  name: "attention",
  trials: [1, 2].flatMap((threads) => cases.map((each) => trial(each, threads))),
  bounds: [1, 2].flatMap((threads) =>
    cases.map(({ name }) => ({
      text: `attention ${name}, against PyTorch, ${threads} thread${threads > 1 ? "s" : ""}`,
      atLeast: 1.3,
      ours: { case: name, metric: "time", contender: /^nabla$/, threads },
      theirs: { case: name, metric: "time", contender: /^pytorch/, threads },
    })),
  ),
};
