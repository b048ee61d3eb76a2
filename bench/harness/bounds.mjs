// A bound compares medians of one run: a ratio of speeds (atLeast), of times (atMostTimes), or one figure (atMost); over
// several cases, the geometric mean of such ratios and the worst of them (mean, worst).
const rates = new Set(["speed", "bandwidth", "rate"]);

/** How many times faster `ours` is than `theirs`, whichever way their metric counts. */
export function advantage(ours, theirs) {
  return rates.has(ours.metric) ? ours.median / theirs.median : theirs.median / ours.median;
}

/**
 * Judges a bound: { text, target, measured, held }; a row that is missing leaves it missed. What is a `detail` stands in
 * the whole table of the results, not in README.
 */
export function judge(bound, results) {
  return bound.cases ? judgeAll(bound, results) : judgeOne(bound, results);
}

function judgeAll({ text, suite, cases, ours, theirs, mean, worst, detail }, results) {
  const target = [mean && `mean >= ${mean}`, worst && `all >= ${worst}`].filter(Boolean).join(", ");
  const found = cases.map((name) => {
    const [own, other] = [ours, theirs].map((row) => best(results, suite, { ...row, case: name }));
    return { name, ratio: own && other && advantage(own, other) };
  });
  const lacking = found.find(({ ratio }) => !ratio);
  const common = { text, against: "the best of each case", target, detail };
  if (lacking) return { ...common, measured: null, shown: `no figure of ${lacking.name}`, held: false };
  const geometric = Math.exp(found.reduce((sum, { ratio }) => sum + Math.log(ratio), 0) / found.length);
  const last = found.reduce((a, b) => (b.ratio < a.ratio ? b : a));
  return {
    ...common,
    measured: geometric,
    shown: `mean ${geometric.toFixed(2)}, ${last.name} ${last.ratio.toFixed(2)}`,
    held: geometric >= (mean ?? 0) && last.ratio >= (worst ?? 0),
  };
}

function judgeOne({ text, suite, ours, theirs, atLeast, atMost, atMostTimes, detail }, results) {
  const [own, other] = [best(results, suite, ours), theirs && best(results, suite, theirs)];
  const against =
    other && other.contender !== own?.contender
      ? `${other.contender}, ${other.threads} thread${other.threads > 1 ? "s" : ""}`
      : "";
  const found = { text, against, target: target({ atLeast, atMost, atMostTimes, unit: own?.unit }), detail };
  if (!own || (theirs && !other)) {
    const lacking = own ? "the rival" : "nabla";
    return { ...found, measured: null, shown: `no figure of ${lacking}`, held: false };
  }
  if (atLeast !== undefined) {
    const ratio = advantage(own, other);
    return { ...found, measured: ratio, shown: `${ratio.toFixed(2)} x`, held: ratio >= atLeast };
  }
  if (atMostTimes !== undefined) {
    const ratio = own.median / other.median;
    return { ...found, measured: ratio, shown: `${ratio.toFixed(2)} x`, held: ratio <= atMostTimes };
  }
  return {
    ...found,
    measured: own.median,
    shown: `${own.median.toPrecision(4)} ${own.unit}`,
    held: own.median <= atMost,
  };
}

function target({ atLeast, atMost, atMostTimes, unit = "" }) {
  if (atLeast !== undefined) return `>= ${atLeast} x`;
  return atMostTimes !== undefined ? `<= ${atMostTimes} x` : `<= ${atMost} ${unit}`.trim();
}

/** The fastest row that answers to a description. */
function best(results, suite, { case: name, metric, contender, threads }) {
  return results
    .filter((r) => r.suite === suite && r.case === name && r.metric === metric && contender.test(r.contender))
    .filter((r) => threads === undefined || r.threads === threads)
    .reduce((a, b) => (a === undefined || advantage(b, a) > 1 ? b : a), undefined);
}
