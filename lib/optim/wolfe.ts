/** Line search with the strong Wolfe conditions. */
import type { Tensor } from "../tensor/tensor.js";

/** A point on the line. */
export interface Probe {
  /** The step length. */
  readonly t: number;
  readonly loss: number;
  readonly gradient: Tensor;
  /** The derivative along the direction. */
  readonly slope: number;
}

/** The minimum between two points of the cubic interpolation of values and slopes; the midpoint if there is none. */
function cubicMinimum(p: Probe, q: Probe, low: number, high: number): number {
  const [a, b] = p.t <= q.t ? [p, q] : [q, p];
  const d1 = a.slope + b.slope - (3 * (a.loss - b.loss)) / (a.t - b.t);
  const square = d1 ** 2 - a.slope * b.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const d2 = Math.sqrt(square);
  const t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2));
  return Math.min(Math.max(t, low), high);
}

const c1 = 1e-4;
const c2 = 0.9;

/**
 * Finds a step that satisfies the strong Wolfe conditions: sufficient decrease (c1) and curvature (c2). First brackets
 * such a step, then narrows the bracket. `width` is the largest element of the direction: the bracket is narrow enough
 * when no parameter moves by `tolerance`. Evaluates at most `maxEval` points, at least one, and then returns the best.
 * @source Nocedal and Wright, Numerical optimization, 2006, algorithms 3.5 and 3.6, and equation 3.59.
 */
export function strongWolfe(
  probe: (t: number) => Probe,
  start: Probe,
  first: number,
  width: number,
  tolerance: number,
  maxEval: number,
) {
  const most = maxEval - 1;
  const enough = (p: Probe): boolean => p.loss <= start.loss + c1 * p.t * start.slope;
  const flat = (p: Probe): boolean => Math.abs(p.slope) <= -c2 * start.slope;
  let evaluations = 0;
  const look = (t: number): Probe => {
    evaluations++;
    return probe(t);
  };
  const found = (best: Probe) => ({ best, evaluations });

  let before = start;
  let now = look(first);
  let rounds = 0;
  for (; rounds < most; rounds++) {
    if (!enough(now) || (rounds > 1 && now.loss >= before.loss)) break;
    if (flat(now)) return found(now);
    if (now.slope >= 0) break;
    const t = cubicMinimum(before, now, now.t + 0.01 * (now.t - before.t), now.t * 10);
    before = now;
    now = look(t);
  }
  if (rounds === most) before = start;

  let [best, other] = before.loss <= now.loss ? [before, now] : [now, before];
  let stuck = false;
  for (; rounds < most && Math.abs(other.t - best.t) * width >= tolerance; rounds++) {
    const [low, high] = best.t < other.t ? [best.t, other.t] : [other.t, best.t];
    let t = cubicMinimum(best, other, low, high);
    // Twice close to an end of the bracket: moves a tenth of its width away.
    const margin = 0.1 * (high - low);
    const near = Math.min(high - t, t - low) < margin;
    if (near && (stuck || t >= high || t <= low)) {
      t = Math.abs(t - high) < Math.abs(t - low) ? high - margin : low + margin;
      stuck = false;
    } else stuck = near;
    const next = look(t);
    if (!enough(next) || next.loss >= best.loss) {
      [best, other] = best.loss <= next.loss ? [best, next] : [next, best];
      continue;
    }
    if (flat(next)) return found(next);
    if (next.slope * (other.t - best.t) >= 0) other = best;
    best = next;
  }
  return found(best);
}
