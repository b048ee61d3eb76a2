// A bound compares medians of one run: a ratio of speeds (atLeast), of times (atMostTimes), one figure (atMost), or the
// geometric mean of such ratios (mean, atLeast).
const rates = new Set(["speed", "bandwidth", "rate"]);

/** How many times faster `ours` is than `theirs`, whichever way their metric counts. */
export function advantage(ours, theirs) {
  return rates.has(ours.metric) ? ours.median / theirs.median : theirs.median / ours.median;
}

/** The geometric mean of other bounds' ratios. */
function judgeMean({ text, suite, mean, atLeast }, results) {
  const ratios = mean.map((bound) => judge({ ...bound, suite }, results).measured);
  const found = { text, against: "", target: target({ atLeast }) };
  if (ratios.includes(null)) return { ...found, measured: null, shown: "not all were measured", held: false };
  const measured = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  return { ...found, measured, shown: `${measured.toFixed(2)} x`, held: measured >= atLeast };
}

/** Judges a bound: { text, target, measured, held }; a row that is missing leaves it missed. */
export function judge({ text, suite, mean, ours, theirs, atLeast, atMost, atMostTimes }, results) {
  if (mean) return judgeMean({ text, suite, mean, atLeast }, results);
  const [own, other] = [best(results, suite, ours), theirs && best(results, suite, theirs)];
  const against =
    other && other.contender !== own?.contender
      ? `${other.contender}, ${other.threads} thread${other.threads > 1 ? "s" : ""}`
      : "";
  const found = { text, against, target: target({ atLeast, atMost, atMostTimes, unit: own?.unit }) };
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
