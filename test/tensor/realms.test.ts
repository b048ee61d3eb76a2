/** Values of other realms, as vm contexts and Jest make them, and tensors where they cannot go. */
import { runInNewContext } from "node:vm";
import { MessageChannel } from "node:worker_threads";
import { decodeSafetensors, encodeSafetensors, grad, nn, ones, type Tensor, tensor } from "nabla";
import { describe, expect, test } from "vitest";
import { thrown } from "../autograd/code.js";

const there = <T>(code: string): T => runInNewContext(code) as T;

describe("another realm's", () => {
  test.each([
    ["Float32Array", "float32"],
    ["Float64Array", "float64"],
    ["Int32Array", "int32"],
    ["BigInt64Array", "int64"],
    ["Uint8Array", "uint8"],
    ["Uint8ClampedArray", "uint8"],
    ["Int8Array", "int32"],
    ["Int16Array", "int32"],
    ["Uint16Array", "int32"],
    ["Uint32Array", "int64"],
    ["BigUint64Array", "int64"],
  ])("%s becomes %s, as this realm's does", (name, dtype) => {
    const one = name.startsWith("Big") ? "1n" : "1";
    const here = tensor(new Function(`return new ${name}([${one}])`)() as Float32Array);
    const made = tensor(there<Float32Array>(`new ${name}([${one}])`));
    expect([made.dtype, here.dtype]).toEqual([dtype, dtype]);
    expect(made.toArray()).toEqual([1]);
  });
  test("DataView is no data", () => {
    expect(thrown(() => tensor(there("new DataView(new ArrayBuffer(8))"))).code).toBe("ERR_ARGUMENT");
  });
  test("bytes, arrays, objects, maps and sets", () => {
    const bytes = there<Uint8Array>("new Uint8Array(400)");
    const file = encodeSafetensors({ a: ones([2]) });
    bytes.set(file);
    expect(decodeSafetensors(bytes.subarray(0, file.length))["a"]?.toArray()).toEqual([1, 1]);
    const tree = Object.assign(there<{ w?: Tensor }>("({})"), { w: ones([2]) });
    expect(grad((p: { w: Tensor }) => p.w.sum())(tree).w.toArray()).toEqual([1, 1]);
    class Holder extends nn.Module {
      group: unknown;
    }
    const holder = new Holder();
    for (const group of ["({})", "[]", "new Map()", "new Set()"]) {
      const made = there<object>(group);
      const entry = new nn.Linear(2, 2);
      if ("set" in made) (made as Map<string, nn.Module>).set("a", entry);
      else if ("add" in made) (made as Set<nn.Module>).add(entry);
      else Object.assign(made, { 0: entry });
      holder.group = made;
      expect(holder.parameters()).toHaveLength(2);
    }
  });
});

describe("a tensor that is posted or cloned", () => {
  const says = /postMessage: a tensor cannot be posted or cloned; expected x\.share\(\), which attach\(\) takes/;
  test("names share()", () => {
    const { port1, port2 } = new MessageChannel();
    for (const x of [ones([2]), ones([2], { requiresGrad: true }), ones([2]).to("bool"), new nn.Parameter(ones([2]))])
      for (const message of [x, [1, { x }], new Map([["x", x]])])
        for (const post of [() => structuredClone(message), () => port1.postMessage(message)]) {
          const error = thrown(post);
          expect(error.code).toBe("ERR_WORKER");
          expect(error.message).toMatch(says);
        }
    expect(thrown(() => structuredClone(new nn.Linear(1, 1).parameters())).message).toMatch(says);
    port1.close();
    port2.close();
  });
  test("its description goes", () => {
    expect(structuredClone(ones([2]).share())).toMatchObject({ nabla: "tensor", shape: [2] });
  });
});
