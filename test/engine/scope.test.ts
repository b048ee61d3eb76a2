import { memory, NablaError, nn, ones, optim, randn, scope, type Tensor, tensor } from "nabla";
import { describe, expect, it } from "vitest";

const disposed = expect.objectContaining({ code: "ERR_DISPOSED" });

function thrown(f: () => unknown): unknown {
  try {
    f();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("scope", () => {
  it("keeps the result and disposes of the rest", () => {
    let inner: Tensor | undefined;
    const y = scope(() => {
      inner = tensor([3, 4]).square();
      return inner.sum();
    });
    expect(y.item()).toBe(25);
    expect(thrown(() => inner!.toArray())).toEqual(disposed);
    expect(thrown(() => inner!.add(1))).toEqual(disposed);
  });

  it("gives the bytes back at its end", () => {
    ones([1]).item();
    const before = memory().liveBytes;
    const kept = scope(() => {
      for (let i = 0; i < 10; i++) ones([1000, 100]).mul(2);
      expect(memory().liveBytes - before).toBeGreaterThan(10 * 4e5);
      return ones([10]);
    });
    kept.add(1);
    expect(memory().liveBytes - before).toBeLessThan(4e5);
  });

  it("finds results in arrays, objects, maps, sets and instances, also in cycles", () => {
    class Holder {
      readonly inside = tensor([4]);
      self: Holder = this;
    }
    const result = scope(() => ({
      list: [tensor([1]), "text", null],
      map: new Map([["x", tensor([2])]]),
      set: new Set([tensor([3])]),
      holder: new Holder(),
    }));
    const all = [result.list[0] as Tensor, result.map.get("x")!, [...result.set][0]!, result.holder.inside];
    expect(all.map((x) => x.item())).toEqual([1, 2, 3, 4]);
  });

  it("keeps what a view in the result looks at", () => {
    expect(
      scope(() =>
        tensor([
          [1, 2],
          [3, 4],
        ])
          .t()
          .at(1),
      ).toArray(),
    ).toEqual([2, 4]);
  });

  it("leaves tensors from outside alone, also through views", () => {
    const x = tensor([1, 2]);
    scope(() => x.reshape([2, 1]).sum().item());
    expect(x.toArray()).toEqual([1, 2]);
  });

  it("keeps what the graph of the result needs", () => {
    const x = tensor([0.5, 2], { requiresGrad: true });
    const y = scope(() => x.exp().square().sum());
    y.backward();
    expect(x.grad!.toArray()[0]).toBeCloseTo(2 * Math.exp(1), 5);
  });

  it("keeps gradients and the state of optimizers that a training step leaves", () => {
    const model = new nn.Linear(3, 1);
    const opt = new optim.AdamW(model.parameters(), { lr: 0.1 });
    const data = randn([8, 3]);
    const norms: number[] = [];
    const losses = Array.from({ length: 30 }, () =>
      scope(() => {
        opt.zeroGrad();
        const loss = model.forward(data).sub(1).square().mean();
        loss.backward();
        norms.push(model.weight.grad!.square().sum().item());
        opt.step();
        return loss.item();
      }),
    );
    expect(norms).toHaveLength(30);
    expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
    expect(model.weight.grad!.shape).toEqual([1, 3]);
  });

  it("nests: a result of the inner scope lives to the end of the outer one", () => {
    let middle: Tensor | undefined;
    const y = scope(() => {
      middle = scope(() => tensor([1]).add(1));
      return middle.add(1);
    });
    expect(y.item()).toBe(3);
    expect(thrown(() => middle!.item())).toEqual(disposed);
  });

  it("disposes of everything when the function throws", () => {
    let inner: Tensor | undefined;
    const failing = () =>
      scope(() => {
        inner = tensor([1]);
        throw new RangeError("mine");
      });
    expect(failing).toThrow(RangeError);
    expect(thrown(() => inner!.item())).toEqual(disposed);
    expect(tensor([1]).add(1).item()).toBe(2);
  });

  it("refuses a promise", () => {
    // @ts-expect-error a promise is a type error too
    const error = thrown(() => scope(async () => tensor([1])));
    expect(error).toBeInstanceOf(NablaError);
    expect(error).toMatchObject({ code: "ERR_ARGUMENT", op: "scope" });
  });
});
