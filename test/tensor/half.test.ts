/** bfloat16 and float16 as a user meets them: made, read, moved, promoted, trained and kept in files. */
import {
  arange,
  attach,
  cat,
  decodeSafetensors,
  encodeSafetensors,
  eye,
  full,
  linspace,
  nn,
  noGrad,
  ones,
  optim,
  rand,
  setDefaultDtype,
  type Tensor,
  tensor,
  zeros,
} from "nabla";
import { describe, expect, test } from "vitest";

const refused = (f: () => unknown, code: string, text: RegExp): void => {
  expect(f).toThrow(expect.objectContaining({ name: "NablaError", code, message: expect.stringMatching(text) }));
};

describe.each(["bfloat16", "float16"] as const)("%s", (dtype) => {
  const third = dtype === "bfloat16" ? 0.333984375 : 0.333251953125;
  const step = dtype === "bfloat16" ? 2 ** -7 : 2 ** -10;

  test("is made of numbers, typed arrays and tensors, and read as floats", () => {
    const x = tensor([1 / 3, -2, 0], { dtype });
    expect(x.dtype).toBe(dtype);
    expect(x.toArray()).toEqual([third, -2, 0]);
    expect(x.toTypedArray()).toEqual(Float32Array.of(third, -2, 0));
    expect(x.at(0).item()).toBe(third);
    for (const data of [Float32Array.of(1 / 3), Float64Array.of(1 / 3), tensor([1 / 3]), x.narrow(0, 0, 1)])
      expect(tensor(data, { dtype }).toArray()).toEqual([third]);
    expect(tensor(Int32Array.of(3, -7), { dtype }).toArray()).toEqual([3, -7]);
    expect(zeros([0, 2], { dtype }).toArray()).toEqual([]);
    expect([full([1], 1 / 3, { dtype }), zeros([1], { dtype }), ones([1], { dtype })].map((t) => t.item())).toEqual([
      third,
      0,
      1,
    ]);
    expect(arange(3, { dtype }).toArray()).toEqual([0, 1, 2]);
    expect(linspace(0, 1, 3, { dtype }).toArray()).toEqual([0, 0.5, 1]);
    expect(eye(2, { dtype }).toArray()).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  test("a double is rounded once, not by way of float32", () => {
    const above = 1 + step / 2 + 2 ** -40;
    for (const x of [
      tensor([above], { dtype }),
      full([1], above, { dtype }),
      tensor([above], { dtype: "float64" }).to(dtype),
    ])
      expect(x.toArray()).toEqual([1 + step]);
    expect(tensor([1 + step / 2], { dtype }).toArray()).toEqual([1]);
    expect(tensor([1 + 1.5 * step], { dtype }).toArray()).toEqual([1 + 2 * step]);
  });

  test("prints its own shortest digits", () => {
    expect(`${tensor([1 / 3, 0.1], { dtype })}`).toBe(
      dtype === "bfloat16" ? "tensor([0.334, 0.1  ], dtype=bfloat16)" : "tensor([0.3333, 0.1   ], dtype=float16)",
    );
  });

  test("is moved as it is, also where it holds NaN and the infinities", () => {
    const x = tensor([Number.NaN, Number.POSITIVE_INFINITY, -0, third], { dtype });
    const want = x.toArray();
    const index = tensor([3, 2, 1, 0], { dtype: "int32" });
    for (const y of [x.indexSelect(0, index), x.gather(0, index), x.flip(0)]) {
      expect(y.dtype).toBe(dtype);
      expect(y.toArray()).toEqual([...want].reverse());
    }
    expect(cat([x, x]).toArray()).toEqual([...want, ...want]);
    expect(x.reshape([2, 2]).transpose(0, 1).contiguous().toArray()).toEqual([
      [want[0], want[2]],
      [want[1], want[3]],
    ]);
    expect(zeros([4], { dtype }).assign(x).toArray()).toEqual(want);
    const part = zeros([2], { dtype });
    part.at(1).assign(1 / 3);
    expect(part.toArray()).toEqual([0, third]);
  });

  test("is shared with its dtype", () => {
    const x = tensor([1, third], { dtype });
    const there = attach(x.share());
    x.at(0).assign(2);
    expect(there.dtype).toBe(dtype);
    expect(there.toArray()).toEqual([2, third]);
  });

  test("meets other dtypes as in PyTorch", () => {
    const x = ones([2], { dtype });
    const with_ = (other: Tensor | number): string => x.add(other).dtype;
    expect([with_(2.5), with_(ones([2], { dtype: "int64" })), with_(ones([2]).gt(0)), with_(x)]).toEqual(
      Array(4).fill(dtype),
    );
    expect(with_(ones([2]))).toBe("float32");
    expect(with_(ones([2], { dtype: "float64" }))).toBe("float64");
    expect(with_(ones([2], { dtype: dtype === "float16" ? "bfloat16" : "float16" }))).toBe("float32");
    expect(x.gt(0.5).dtype).toBe("bool");
    expect(x.matmul(ones([2, 2])).dtype).toBe("float32");
  });

  test("a number beside it is not rounded before it is used", () => {
    expect(
      ones([1], { dtype })
        .mul(256)
        .mul(1 + step / 4)
        .toArray(),
    ).toEqual([256]);
    expect(
      ones([1], { dtype })
        .add(step * 1.25)
        .toArray(),
    ).toEqual([1 + step]);
  });

  test("sums, means and products add up in float32", () => {
    const n = 5000;
    const x = ones([n], { dtype });
    const near = (value: number): number => tensor([value], { dtype }).item();
    expect(x.sum().item()).toBe(near(n));
    expect(x.mean().item()).toBe(1);
    expect(x.unsqueeze(0).matmul(x.unsqueeze(1)).item()).toBe(near(n));
    expect(x.sum().dtype).toBe(dtype);
  });

  test("gradients come in the dtype of what they are for", () => {
    const w = tensor([1, 2], { dtype, requiresGrad: true });
    const v = tensor([3, 5], { requiresGrad: true });
    w.mul(v).sum().backward();
    expect([w.grad!.dtype, v.grad!.dtype]).toEqual([dtype, "float32"]);
    expect([w.grad!.toArray(), v.grad!.toArray()]).toEqual([
      [3, 5],
      [1, 2],
    ]);
  });

  test("uniform random numbers stay below 1", () => {
    const u = rand([100_000], { dtype });
    expect(u.dtype).toBe(dtype);
    expect(u.amax().item()).toBeLessThan(1);
    expect(u.to("float64").mean().item()).toBeCloseTo(0.5, 2);
  });

  test("a module of halves learns, its optimizer's state is float32", () => {
    const model = new nn.Sequential(new nn.Linear(2, 8), new nn.Tanh(), new nn.Linear(8, 1)).to(dtype);
    expect(model.parameters().map((p) => p.dtype)).toEqual(Array(4).fill(dtype));
    const x = tensor([0, 0, 0, 1, 1, 0, 1, 1], { dtype, shape: [4, 2] });
    const y = tensor([0, 1, 1, 2], { dtype, shape: [4, 1] });
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.02 });
    const losses: number[] = [];
    for (let i = 0; i < 60; i++) {
      optimizer.zeroGrad();
      const loss = nn.functional.mseLoss(model.forward(x), y);
      expect(loss.dtype).toBe(dtype);
      loss.backward();
      optim.clipGradNorm(model.parameters(), 1);
      optimizer.step();
      losses.push(loss.item());
    }
    expect(losses.at(-1)!).toBeLessThan(losses[0]! / 10);
    const state = optimizer.stateDict();
    expect((state.state[0]!.expAvg as Tensor).dtype).toBe("float32");
    optimizer.loadStateDict(state);
    expect(model.parameters().every((p) => p.dtype === dtype && p.grad!.dtype === dtype)).toBe(true);
  });

  test("lies in safetensors files as its bits", () => {
    const x = tensor([1, Number.NEGATIVE_INFINITY, third], { dtype });
    const bytes = encodeSafetensors({ x, y: ones([1]) });
    expect(new TextDecoder().decode(bytes)).toContain(dtype === "bfloat16" ? '"BF16"' : '"F16"');
    const one = dtype === "bfloat16" ? 0x3f80 : 0x3c00;
    expect(new DataView(bytes.buffer, bytes.length - 6).getUint16(0, true)).toBe(one);
    const { x: back } = decodeSafetensors(bytes);
    expect(back!.dtype).toBe(dtype);
    expect(back!.toArray()).toEqual(x.toArray());
  });

  test("is no default dtype", () => {
    refused(() => setDefaultDtype(dtype as "float32"), "ERR_DTYPE", /not a float dtype; expected float32 or float64/);
  });
});

test("a Float16Array is float16, where the runtime has the class", () => {
  const Float16 = (globalThis as { Float16Array?: { of(...x: number[]): Float32Array } }).Float16Array;
  if (Float16 === undefined) return;
  const x = tensor(Float16.of(1 / 3, -0));
  expect(x.dtype).toBe("float16");
  expect(x.toArray()).toEqual([0.333251953125, -0]);
});

test("what is beyond the largest number is infinity, what is below the least 0", () => {
  const x = noGrad(() => tensor([65519, 65520, 2 ** -24, 2 ** -25, 3 * 2 ** -26], { dtype: "float16" }));
  expect(x.toArray()).toEqual([65504, Number.POSITIVE_INFINITY, 2 ** -24, 0, 2 ** -24]);
});
