import { conv2d, grad, nn, noGrad, scaledDotProductAttention, type Tensor, tensor } from "nabla";
import { ask, costOf, dryRun, dtypes, placeholder, table, ValuesNeeded } from "nabla/internal";
import { expect, test } from "vitest";

const spec = (shape: number[], dtype: keyof typeof dtypes = "float32") => ({ type: dtypes[dtype], shape });
const on = (shapes: number[][], f: (...xs: Tensor[]) => unknown) =>
  dryRun(() => noGrad(() => f(...shapes.map((shape) => placeholder(dtypes.float32, shape))))).calls;

test("a row answers with dtype, shape, attributes and cost, and runs nothing", () => {
  const answer = ask(table.get("matmul")!, [spec([5, 2, 3]), spec([3, 4])], undefined as never);
  expect([answer.result.type.name, answer.result.shape]).toEqual(["float32", [5, 2, 4]]);
  expect(answer.cost).toEqual({ flops: 2 * 5 * 2 * 3 * 4, bytesRead: 4 * (30 + 12), bytesWritten: 4 * 40 });
  const summed = ask(table.get("sum")!, [spec([2, 3], "uint8")], { dims: [1], keepdim: true } as never);
  expect([summed.result.type.name, summed.result.shape, summed.calls[0]!.attrs]).toEqual(["int64", [2, 1], [2]]);
  const half = ask(table.get("softmax")!, [spec([4, 8], "float16")], undefined as never);
  expect(half.result.type.name).toBe("float16");
  expect(ask(table.get("add")!, [spec([3], "float64"), 2], undefined as never).result.type.name).toBe("float64");
});

test("where values decide, the largest shape", () => {
  const answer = ask(table.get("nonzero")!, [spec([3, 4], "bool")], [2] as never);
  expect([answer.valuesDecide, answer.result.type.name, answer.result.shape]).toEqual([true, "int32", [12, 2]]);
  expect(() => dryRun(() => placeholder(dtypes.float32, [2]).sum().item())).toThrow(ValuesNeeded);
});

test("a broadcast operand is read once; a view costs nothing", () => {
  expect(costOf(on([[8, 4], [4]], (x, y) => x.add(y)))).toEqual({ flops: 32, bytesRead: 4 * 36, bytesWritten: 4 * 32 });
  expect(on([[8, 4]], (x) => x.t().unsqueeze(0).expand([5, 4, 8]))).toEqual([]);
});

test("products count two for each multiply-add", () => {
  const flops = (shapes: number[][], f: (...xs: Tensor[]) => unknown) => costOf(on(shapes, f)).flops;
  expect(flops([[6, 5], [7, 5], [7]], (x, w, b) => x.linear(w, b))).toBe(2 * 6 * 5 * 7 + 6 * 7);
  expect(
    flops(
      [
        [6, 7],
        [6, 5],
        [5, 7],
      ],
      (x, a, b) => x.addmm(a, b),
    ),
  ).toBe(2 * 6 * 5 * 7 + 6 * 7);
  const [images, weights] = [
    [2, 4, 9, 9],
    [6, 2, 3, 3],
  ];
  expect(flops([images!, weights!], (x, w) => conv2d(x, w, null, { groups: 2, stride: 2 }))).toBe(
    2 * (2 * 6 * 4 * 4) * (2 * 3 * 3),
  );
  const attention = (isCausal: boolean) =>
    flops(
      [
        [2, 8, 16],
        [2, 8, 16],
        [2, 8, 4],
      ],
      (q, k, v) => scaledDotProductAttention(q, k, v, { isCausal }),
    );
  expect(attention(false)).toBe(2 * 64 * (2 * (16 + 4) + 5));
  expect(attention(true)).toBe(2 * 36 * (2 * (16 + 4) + 5));
});

test("copies and conversions count no operation, a norm two for each element of the input, a variance four", () => {
  const counted = (f: (x: Tensor) => unknown) => on([[6, 5]], f).map(({ kernel, cost }) => [kernel, cost.flops]);
  expect(counted((x) => x.to("float64"))).toEqual([["identity", 0]]);
  expect(counted((x) => x.clone())).toEqual([["identity", 0]]);
  expect(counted((x) => x.t().contiguous())).toEqual([["identity", 0]]);
  expect(counted((x) => x.norm([0]))).toEqual([["norm", 2 * 30]]);
  expect(counted((x) => x.var(1))).toEqual([["var", 4 * 30]]);
});

test("an operand that is given twice is read once, also by a call that writes to it", () => {
  const read = (f: (x: Tensor, y: Tensor) => unknown) =>
    costOf(
      on(
        [
          [6, 6],
          [6, 6],
        ],
        f,
      ),
    ).bytesRead;
  expect(read((x) => x.mul(x))).toBe(4 * 36);
  expect(read((x, y) => x.mul(y))).toBe(8 * 36);
  expect(read((x) => x.mul(x.t()))).toBe(8 * 36);
  expect(read((x) => x.narrow(0, 0, 3).mul(x.narrow(0, 3, 3)))).toBe(4 * 36);
  // The third gradient of x is added in place to the sum of the first two.
  const { calls } = dryRun(() =>
    grad((x: Tensor) => x.exp().add(x.sin()).add(x.cos()).sum())(placeholder(dtypes.float32, [8])),
  );
  const added = calls.filter(({ kernel, writes }) => kernel === "add" && writes);
  expect(added.map(({ cost }) => [cost.bytesRead, cost.bytesWritten])).toEqual([[2 * 4 * 8, 4 * 8]]);
});

test("placeholders share no storage, so that a copy between them needs no third one", () => {
  const copied = on(
    [
      [3, 3],
      [3, 3],
    ],
    (x, y) => x.assign(y.t()),
  );
  expect(copied.map(({ kernel }) => kernel)).toEqual(["identity"]);
  const within = on([[3, 3]], (x) => x.assign(x.t()));
  expect(within.map(({ kernel }) => kernel)).toEqual(["identity", "identity"]);
});

test("a dry run of an asynchronous function is refused, and ends", () => {
  let fault: unknown;
  try {
    dryRun(async () => placeholder(dtypes.float32, [2]).exp());
  } catch (error) {
    fault = error;
  }
  expect(fault).toMatchObject({ code: "ERR_ARGUMENT", op: "dryRun" });
  expect(tensor([4]).sqrt().item()).toBe(2);
});

test("a gradient: the kernels of forward and backward, and the next gradient is right", () => {
  const model = new nn.Sequential(new nn.Linear(20, 30), new nn.ReLU(), new nn.Linear(30, 1));
  const slope = grad((x: Tensor) => model.forward(x).square().mean());
  const { value, calls } = dryRun(() => noGrad(() => slope(placeholder(dtypes.float32, [16, 20]))));
  expect([value.dtype, value.shape]).toEqual(["float32", [16, 20]]);
  expect(calls.map(({ kernel }) => kernel).slice(0, 4)).toEqual(["linearRelu", "linear", "square", "sum"]);
  expect(costOf(calls).flops).toBeGreaterThan(2 * 2 * 16 * 20 * 30);
  expect(grad((x: Tensor) => x.square().sum())(tensor([3])).toArray()).toEqual([6]);
  expect(model.parameters().every((p) => p.grad === null)).toBe(true);
});
