/** What may be written into integer and bool tensors, against exact arithmetic. */
import fc from "fast-check";
import * as nb from "nabla";
import { full, type Tensor, tensor } from "nabla";
import { describe, expect, test } from "vitest";
import { attempt, cases, errorOf, exact, floats, held, numbers, ranges, whole, wholes } from "./integers.js";

describe("numbers written into integers", () => {
  const at = tensor(Int32Array.of(0));
  const writers: Readonly<Record<string, (x: Tensor, n: number) => Tensor>> = {
    full: (x, n) => full([1], n, { dtype: x.dtype }),
    fullLike: (x, n) => nb.fullLike(x, n),
    tensor: (x, n) => tensor([n], { dtype: x.dtype }),
    maskedFill: (x, n) => x.maskedFill(tensor([true]), n),
    indexPut: (x, n) => x.indexPut([at], n),
    assign: (x, n) => x.clone().assign(n),
    pad: (x, n) => x.narrow(0, 0, 0).pad([1, 0], { value: n }),
  };
  test.each(Object.keys(writers))("%s takes what the dtype holds and refuses the rest", (name) => {
    fc.assert(
      fc.property(fc.constantFrom(...wholes), numbers, (dtype, n) => {
        const expected = dtype === "bool" ? [BigInt(n !== 0)] : held(dtype, n) ? [BigInt(n)] : "ERR_DTYPE";
        expect(attempt(() => exact(writers[name]!(full([1], 0, { dtype }), n)))).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });
});

describe("tensors written into integers", () => {
  const at = tensor(Int32Array.of(0, 1));
  const writers: Readonly<Record<string, (x: Tensor, value: Tensor) => Tensor>> = {
    scatter: (x, value) => x.scatter(0, at, value),
    scatterAdd: (x, value) => x.scatterAdd(0, at, value),
    indexAdd: (x, value) => x.indexAdd(0, at, value),
    indexPut: (x, value) => x.indexPut([at], value),
    maskedFill: (x, value) => x.maskedFill(tensor([true, false]), value.at(1)),
    assign: (x, value) => x.assign(value),
  };
  const names = Object.keys(writers);

  test.each(names)("%s refuses floats, and names .to", (name) => {
    for (const dtype of wholes)
      for (const from of floats) {
        const x = full([2], 1, { dtype });
        const { code, message } = errorOf(() => writers[name]!(x, full([2], 1, { dtype: from })));
        expect(code).toBe("ERR_DTYPE");
        expect(message.startsWith(`${name}: `)).toBe(true);
        expect(message).toContain(`.to("${dtype}")`);
        expect(exact(x)).toEqual([1n, 1n]);
      }
  });
  test.each(names)("%s takes integers that fit, refuses others, and leaves the target as it was", (name) => {
    fc.assert(
      fc.property(cases, fc.constantFrom(...wholes), ({ dtype: from, values }, dtype) => {
        const value = values[0]!;
        const [low, high] = ranges[dtype];
        const x = full([2], 0, { dtype });
        const call = () => writers[name]!(x, whole([0n, value], from));
        if (value >= low && value <= high) expect(exact(call())).toContain(value);
        else {
          const { code, message } = errorOf(call);
          expect(code).toBe("ERR_DTYPE");
          expect(message).toContain(`got ${value}`);
          expect(message).toContain(`.to("${dtype}")`);
          expect(exact(x)).toEqual([0n, 0n]);
        }
      }),
      { numRuns: 200 },
    );
  });
  test.each(names)("%s still takes integers among floats", (name) => {
    for (const dtype of floats)
      expect(writers[name]!(full([2], 0, { dtype }), tensor(BigInt64Array.of(0n, 3n))).toArray()).toContain(3);
  });

  test("the elements of every layout and example are looked at", () => {
    const big = nb.zeros([3, 40_000], { dtype: "int64" });
    big.at(1, 39_999).assign(300);
    const u8 = full([3, 40_000], 1, { dtype: "uint8" });
    for (const [target, value] of [
      [u8, big],
      [u8.transpose(0, 1), big.transpose(0, 1)],
      [u8.flip(1), big],
      [u8.narrow(1, 0, 20_000), big.narrow(1, 20_000, 20_000)],
      [u8, big.at(1, "39999:")],
    ] as const)
      expect(errorOf(() => target.clone().assign(value)).message).toContain("got 300");
    expect(
      nb.allClose(
        u8
          .clone()
          .assign(big.narrow(1, 0, 1))
          .to("float32"),
        nb.zeros([3, 40_000]),
      ),
    ).toBe(true);
    const batched = nb.vmap((v: Tensor) => full([2], 0, { dtype: "uint8" }).scatter(0, at, v));
    expect(batched(tensor(BigInt64Array.of(1n, 2n, 3n, 255n), { shape: [2, 2] })).toArray()).toEqual([
      [1, 2],
      [3, 255],
    ]);
    expect(errorOf(() => batched(tensor(BigInt64Array.of(1n, 2n, 3n, 256n), { shape: [2, 2] }))).code).toBe(
      "ERR_DTYPE",
    );
  });
});
