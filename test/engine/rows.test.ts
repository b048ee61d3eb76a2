/** What a row may ask for: a rule that asks for more is refused where it is defined, not where it is differentiated. */
import { graph, scalar, type Tensor, tensor } from "nabla";
import { apply, defineRow, dtypes, general, kernelNames, kernels, layout, type Row, table } from "nabla/internal";
import { describe, expect, it } from "vitest";

const { float64 } = dtypes;
type Spec = Parameters<typeof defineRow<number>>[0];
type Saved = readonly Tensor[];

/** Tensors one after another, by the kernel of cat, with a rule of its own. */
const joined = (name: string, inputs: number, rule: Spec["rule"]): Row<number> =>
  defineRow<number>({
    name,
    family: "movement",
    kernel: "cat",
    inputs,
    accuracy: "exact",
    moves: true,
    rule,
    replay: (xs) => run(xs as Tensor[], { name } as never),
  });
const run = (xs: readonly Tensor[], row: Row<number>): Tensor =>
  apply(row, xs, float64, float64, [xs.reduce((sum, x) => sum + x.numel, 0)], [0], 0);

const leaf = (value: number): Tensor => tensor([value], { dtype: "float64", requiresGrad: true });

describe("a row of many inputs", () => {
  it("saves what its rule asks for, whichever input needs a gradient", () => {
    const row = joined("test.five", 5, {
      kind: "general",
      saves: 1 << 5,
      order: [5],
      vjp: (g: Tensor, [last]: Saved, _: unknown, needs: readonly boolean[]) =>
        needs.map((need) => (need ? g.sum().mul(last!).reshape([1]) : null)),
      jvp: () => scalar(0),
    });
    for (let place = 0; place < 5; place++) {
      const xs = [1, 2, 3, 4, 5].map((value, i) => (i === place ? leaf(value) : tensor([value], { dtype: "float64" })));
      run(xs, row).sum().backward();
      expect(xs[place]!.grad!.toArray()).toEqual([25]);
    }
  });

  it("keeps its small constants for the graph, as many as a node has room for", () => {
    const rule = general(["out", "x"], { vjp: (g: Tensor) => [g.narrow(0, 0, 1)], jvp: () => scalar(0) });
    const row = joined("test.constants", 9, rule);
    const y = run([leaf(1), ...[2, 3, 4, 5, 6, 7, 8, 9].map((value) => tensor([value], { dtype: "float64" }))], row);
    const { saved } = (y as unknown as { node: { saved: readonly unknown[] } }).node;
    const kept = saved.map((value) => value !== null);
    expect(kept.filter(Boolean)).toHaveLength(layout.maxSaved - 1);
    expect(kept.slice(0, layout.maxSaved - 1)).not.toContain(false);
    y.sum().backward();
    expect(graph(y).toDot()).toContain("5");
  });
});

describe("a rule is refused that", () => {
  const saving = (saves: number): Spec["rule"] => ({
    kind: "general",
    saves,
    order: [],
    vjp: () => [],
    jvp: () => scalar(0),
  });
  const map = { saves: 0, order: [], numbers: false, times: (t: Tensor) => t };
  it.each<[string, number, Spec["rule"], RegExp]>([
    ["saves an input that there is not", 2, saving(8), /saves an input that it does not have/],
    ["saves by a mask of more than 31 places", 40, saving(1 << 31), /saves an input that it does not have/],
    ["saves more than a node holds", 6, saving(0b1111110), /saves 6 values, and a node holds 5/],
    ["has too few partial derivatives", 3, { kind: "elementwise", partials: [map, map] }, /2 partial .* 3 inputs/],
    ["is bilinear in three", 3, { kind: "bilinear", left: (g: Tensor) => g, right: (g: Tensor) => g }, /bilinear in 3/],
  ])("%s", (what, inputs, rule, message) => {
    expect(() => joined(`test.${what}`, inputs, rule)).toThrow(message);
    expect(table.has(`test.${what}`)).toBe(false);
  });
});

it("every native kernel has a row, in the table or beside it", () => {
  const named = new Set([...table.values(), ...kernels.values()].map((row) => row.kernel));
  expect(kernelNames().filter((name) => !named.has(name))).toEqual([]);
  for (const name of kernels.keys()) expect(table.has(name), name).toBe(false);
});

it("all rows have the same fields in the same order, so that the engine reads them at fixed places", () => {
  const shapes = new Set([...table.values(), ...kernels.values()].map((row) => Object.keys(row).join(" ")));
  expect([...shapes]).toHaveLength(1);
});
