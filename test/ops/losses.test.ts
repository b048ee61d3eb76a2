/** Every loss over logits from -100 to 100: the digits of small losses and of their gradients, in both modes. */
import * as nb from "nabla";
import { describe, expect, test } from "vitest";

const { tensor } = nb;
const round = Math.fround;
const ulp = (x: number): number => 2 ** (Math.max(Math.floor(Math.log2(Math.abs(x))), -126) - 23);
const none = { reduction: "none" } as const;

// Thirds, quarters and whole numbers; differences of most pairs are no float32.
const logits = [...Array.from({ length: 601 }, (_, i) => round(-100 + i / 3)), 16, 16.25, -16, 88, 0, -0].map(round);
const sp = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = (x: number): number => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));

/** Within `ulps` of `want`, wherever that is at least 1e-37; `size` where terms cancel of their nature. */
function near(got: readonly number[], want: readonly number[], what: string, ulps = 8, size = want): void {
  expect(got).toHaveLength(want.length);
  got.forEach((value, i) => {
    const exact = want[i]!;
    if (Math.abs(exact) < 1e-37) return expect(Math.abs(value), `${what}, ${i}`).toBeLessThan(1.01e-37);
    const error = Math.abs(value - exact) / ulp(Math.max(Math.abs(exact), Math.abs(size[i]!)));
    if (!(error <= ulps)) expect.fail(`${what}, ${i}: ${value} is ${error} ulp from ${exact}`);
  });
}

const values = (x: nb.Tensor): number[] => Array.from(x.toTypedArray(), Number);
/** The gradient of a sum of losses, where loss i depends on x[i] alone, in reverse and in forward mode. */
function slopes(f: (x: nb.Tensor) => nb.Tensor, x: nb.Tensor): number[][] {
  const reverse = nb.grad((v: nb.Tensor) => f(v).sum())(x);
  const [, forward] = nb.jvp(f, [x], [nb.onesLike(x)]);
  return [values(reverse), values(forward)];
}
function check(
  what: string,
  f: (x: nb.Tensor) => nb.Tensor,
  xs: readonly number[],
  value: (x: number, i: number) => number,
  slope: (x: number, i: number) => number,
  sizeOfSlope = slope,
): void {
  const x = tensor(xs);
  near(values(f(x)), xs.map(value), what);
  for (const got of slopes(f, x)) near(got, xs.map(slope), `${what}: gradient`, 8, xs.map(sizeOfSlope));
}

describe("of one logit", () => {
  test("binaryCrossEntropyWithLogits", () => {
    for (const given of [0, 1, 0.25, 0.5, 0.9, 1e-3, 1e-20]) {
      const t = round(given);
      const target = nb.full([logits.length], t);
      check(
        `target ${t}`,
        (x) => nb.binaryCrossEntropyWithLogits(x, target, none),
        logits,
        (x) => t * sp(-x) + (1 - t) * sp(x),
        (x) => (1 - t) * sigmoid(x) - t * sigmoid(-x),
        (x) => (1 - t) * sigmoid(x) + t * sigmoid(-x),
      );
    }
    expect(nb.binaryCrossEntropyWithLogits(tensor([16]), tensor([1])).item()).toBeCloseTo(1.12535e-7, 12);
  });

  test("binaryCrossEntropyWithLogits at infinite logits, where the target has them too", () => {
    const x = tensor([Infinity, -Infinity, Infinity, -Infinity], { requiresGrad: true });
    const loss = nb.binaryCrossEntropyWithLogits(x, tensor([1, 0, 0, 1]), none);
    expect(loss.toArray()).toEqual([0, 0, Infinity, Infinity]);
    loss.sum().backward();
    expect(x.grad!.toArray()).toEqual([0, 0, 1, -1]);
  });

  test("softplus and logSigmoid", () => {
    check("softplus", (x) => nb.softplus(x), logits, sp, sigmoid);
    check(
      "logSigmoid",
      (x) => x.logSigmoid(),
      logits,
      (x) => -sp(-x),
      (x) => sigmoid(-x),
    );
  });

  test("logaddexp with 0", () => check("logaddexp", (x) => nb.logaddexp(x, 0), logits, sp, sigmoid));
});

/** Rows of classes, with what their losses must be. */
const rows = logits.flatMap((x, i) => [
  [x, round(0.1)],
  [0, x, round(x / 7)],
  [x, round(x - 3), round(-x), round(i / 9), -2],
]);

function softmaxOf(row: readonly number[]): { top: number; others: number; at: number } {
  const top = Math.max(...row);
  const at = row.indexOf(top);
  return { top, at, others: row.reduce((sum, x, j) => (j === at ? sum : sum + Math.exp(x - top)), 0) };
}
const logp = (row: readonly number[], j: number): number => {
  const { top, others } = softmaxOf(row);
  return row[j]! - top - Math.log1p(others);
};
/** softmax - onehot, without cancelling. */
function slopeOf(row: readonly number[], target: number, j: number): number {
  if (j !== target) return Math.exp(logp(row, j));
  return -row.reduce((sum, _, k) => (k === j ? sum : sum + Math.exp(logp(row, k))), 0);
}
/** An exponential passes on both roundings of its argument, x - max - log(sum). */
const ofExponent = (row: readonly number[]): number => 8 + 2 * (Math.max(...row) - Math.min(...row));

type OfRow = (row: nb.Tensor, target: nb.Tensor) => nb.Tensor;
const softmaxLosses: [string, OfRow][] = [
  ["crossEntropy", (x, t) => nb.crossEntropy(x, t, none)],
  ["nllLoss of logSoftmax", (x, t) => nb.nllLoss(x.logSoftmax(1), t, none)],
];

describe("of several classes", () => {
  test.each(softmaxLosses)(
    "%s",
    (what, loss) => {
      for (const row of rows) {
        row.forEach((_, target) => {
          const t = tensor([target], { dtype: "int32" });
          const x = tensor([row]);
          const f = (v: nb.Tensor): nb.Tensor => loss(v, t);
          near(values(f(x)), [-logp(row, target)], `${what} of ${row} for ${target}`);
          const want = row.map((_, j) => slopeOf(row, target, j));
          const reverse = values(nb.grad((v: nb.Tensor) => f(v).sum())(x));
          near(reverse, want, `${what} of ${row} for ${target}: gradient`, ofExponent(row));
          near([reverse[target]!], [want[target]!], `${what} of ${row} for ${target}: its own gradient`);
        });
      }
    },
    60_000,
  );

  test("crossEntropy along a tangent", () => {
    for (const row of rows.slice(0, 300)) {
      const t = tensor([0], { dtype: "int32" });
      const hot = row.map((_, j) => Number(j === 0));
      const [, forward] = nb.jvp((v: nb.Tensor) => nb.crossEntropy(v, t, none), [tensor([row])], [tensor([hot])]);
      near(values(forward), [slopeOf(row, 0, 0)], `crossEntropy of ${row}: forward`);
    }
  });

  test("logSoftmax", () => {
    for (const row of rows)
      near(
        values(tensor([row]).logSoftmax(1)),
        row.map((_, j) => logp(row, j)),
        `logSoftmax of ${row}`,
      );
  });

  test("crossEntropy with smoothed labels, their mean and their sum", () => {
    const share = 0.1;
    for (const reduction of ["mean", "sum"] as const)
      for (let i = 0; i + 3 <= rows.length; i += 3) {
        const two = [rows[i]!, rows[i]!.map((x) => round(x / 3))];
        const x = tensor(two);
        const loss = nb.crossEntropy(x, tensor([0, 1], { dtype: "int32" }), { reduction, labelSmoothing: share });
        const losses = two.map(
          (row, target) => -(1 - share) * logp(row, target) - (share / 2) * (logp(row, 0) + logp(row, 1)),
        );
        const sum = losses[0]! + losses[1]!;
        near([loss.item() as number], [reduction === "sum" ? sum : sum / 2], `${reduction} of ${two}`);
      }
  });

  test("far from 0 the loss is that of the differences", () => {
    const x = tensor([[1e6 + 16, 1e6]], { requiresGrad: true });
    const loss = nb.crossEntropy(x, tensor([0], { dtype: "int32" }));
    near([loss.item() as number], [Math.log1p(Math.exp(-16))], "loss");
    loss.backward();
    near(values(x.grad!), [-sigmoid(-16), sigmoid(-16)], "gradient");
  });

  test("in float64 too", () => {
    const x = tensor([[40, 0]], { dtype: "float64", requiresGrad: true });
    const loss = nb.crossEntropy(x, tensor([0], { dtype: "int32" }));
    expect(loss.item()).toBeCloseTo(Math.exp(-40), 32);
    loss.backward();
    expect(x.grad!.at(0).at(0).item()).toBeCloseTo(-Math.exp(-40), 32);
    const logit = tensor([40], { dtype: "float64" });
    const one = nb.binaryCrossEntropyWithLogits(logit, nb.onesLike(logit));
    expect(one.item()).toBeCloseTo(Math.exp(-40), 32);
  });

  test("rows whose target does not count have the gradient 0, whatever they hold", () => {
    const x = tensor(
      [
        [NaN, 1],
        [1, 2],
      ],
      { requiresGrad: true },
    );
    nb.crossEntropy(x, tensor([-100, 0], { dtype: "int32" })).backward();
    expect(x.grad!.at(0).toArray()).toEqual([0, 0]);
  });
});

describe("of probabilities", () => {
  const probabilities = [
    ...logits.map((x) => round(sigmoid(x))),
    ...Array.from({ length: 24 }, (_, i) => 1 - 2 ** -(i + 1)),
  ].filter((p) => p > 3e-39 && p < 1); // the slope of the logarithm fits

  test("binaryCrossEntropy", () => {
    for (const given of [0, 0.25, 0.5, 1]) {
      const target = nb.full([probabilities.length], given);
      check(
        `target ${given}`,
        (p) => nb.binaryCrossEntropy(p, target, none),
        probabilities,
        (p) => -given * Math.max(Math.log(p), -100) - (1 - given) * Math.log1p(-p),
        (p) => (1 - given) / (1 - p) - (Math.log(p) < -100 ? 0 : given / p),
        (p) => (1 - given) / (1 - p) + given / p,
      );
    }
    const ends = tensor([0, 1, 0, 1], { requiresGrad: true });
    const loss = nb.binaryCrossEntropy(ends, tensor([0, 1, 1, 0]), none);
    expect(loss.toArray()).toEqual([0, 0, 100, 100].map((x) => (x === 0 ? expect.closeTo(0, 40) : x)));
  });

  test("klDiv", () => {
    for (const given of [1, 0.9, 0.5, 1e-3, 1e-30]) {
      const t = round(given);
      const target = nb.full([1], t);
      const log = round(Math.log(t));
      const inputs = [...logits, log, log + ulp(log), log - ulp(log), log + 1e-4].map(round);
      check(
        `target ${t}`,
        (x) => nb.klDiv(x, target.expand(x.shape), none),
        inputs,
        (x) => t * (Math.log(t) - x),
        () => -t,
      );
    }
    expect(
      nb
        .klDiv(tensor([-Infinity, 3]), tensor([0, 0]), none)
        .abs()
        .toArray(),
    ).toEqual([0, 0]);
  });

  test("klDiv of logarithms", () => {
    const target = round(-0.7);
    check(
      "logTarget",
      (x) => nb.klDiv(x, nb.full([logits.length], target), { ...none, logTarget: true }),
      logits,
      (x) => Math.exp(target) * (target - x),
      () => -Math.exp(target),
    );
  });
});

describe("of differences", () => {
  const target = round(0.1);
  const targets = nb.full([logits.length], target);

  test("mseLoss, l1Loss and huberLoss", () => {
    const d = (x: number): number => x - target;
    check(
      "mseLoss",
      (x) => nb.mseLoss(x, targets, none),
      logits,
      (x) => d(x) ** 2,
      (x) => 2 * d(x),
    );
    check(
      "l1Loss",
      (x) => nb.l1Loss(x, targets, none),
      logits,
      (x) => Math.abs(d(x)),
      (x) => Math.sign(d(x)),
    );
    for (const delta of [0.5, 1, 40])
      check(
        `huberLoss, delta ${delta}`,
        (x) => nb.huberLoss(x, targets, { ...none, delta }),
        logits,
        (x) => (Math.abs(d(x)) <= delta ? d(x) ** 2 / 2 : delta * (Math.abs(d(x)) - delta / 2)),
        (x) => Math.max(-delta, Math.min(delta, d(x))),
      );
    const mean = logits.reduce((sum, x) => sum + d(x) ** 2, 0) / logits.length;
    near([nb.mseLoss(tensor(logits), targets).item() as number], [mean], "the mean of mseLoss");
  });

  test("an infinite difference has the slope of the line", () => {
    for (const [reduction, n] of [
      ["mean", 4],
      ["sum", 1],
    ] as const) {
      const f = (x: nb.Tensor): nb.Tensor => nb.huberLoss(x, tensor([0, 0, Infinity, 0.5]), { reduction, delta: 2 });
      const x = tensor([Infinity, -Infinity, 0, 0]);
      expect(nb.grad(f)(x).toArray()).toEqual([2 / n, -2 / n, -2 / n, -0.5 / n]);
      const [, along] = nb.jvp(f, [x], [tensor([1, 0, 0, 0])]);
      expect(along.item()).toBe(2 / n);
    }
    const x = tensor([Infinity, -Infinity], { requiresGrad: true });
    nb.l1Loss(x, tensor([0, 0])).backward();
    expect(x.grad!.toArray()).toEqual([0.5, -0.5]);
  });
});

test("over no element a mean is NaN and a sum 0, and gradients have no element", () => {
  const none = nb.zeros([0]);
  const losses = {
    mseLoss: (x: nb.Tensor, reduction: "mean" | "sum") => nb.mseLoss(x, none, { reduction }),
    l1Loss: (x: nb.Tensor, reduction: "mean" | "sum") => nb.l1Loss(x, none, { reduction }),
    huberLoss: (x: nb.Tensor, reduction: "mean" | "sum") => nb.huberLoss(x, none, { reduction }),
    binaryCrossEntropy: (x: nb.Tensor, reduction: "mean" | "sum") => nb.binaryCrossEntropy(x, none, { reduction }),
    binaryCrossEntropyWithLogits: (x: nb.Tensor, reduction: "mean" | "sum") =>
      nb.binaryCrossEntropyWithLogits(x, none, { reduction }),
    klDiv: (x: nb.Tensor, reduction: "mean" | "sum") => nb.klDiv(x, none, { reduction }),
    crossEntropy: (x: nb.Tensor, reduction: "mean" | "sum") =>
      nb.crossEntropy(x.reshape([0, 3]), none.to("int32"), { reduction }),
    nllLoss: (x: nb.Tensor, reduction: "mean" | "sum") =>
      nb.nllLoss(x.reshape([0, 3]), none.to("int32"), { reduction }),
  };
  for (const [name, loss] of Object.entries(losses)) {
    expect(loss(none, "mean").item(), name).toBeNaN();
    expect(loss(none, "sum").item(), name).toBe(0);
    expect(nb.grad((x: nb.Tensor) => loss(x, "mean"))(none).shape, name).toEqual([0]);
  }
});
